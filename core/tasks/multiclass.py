"""One of three or more classes."""

from core.tasks.classes import ClassTask

__all__ = ["Multiclass"]


class Multiclass(ClassTask):
    name = "multiclass"
