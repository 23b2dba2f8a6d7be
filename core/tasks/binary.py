"""Two classes, of which class 1 is the positive one."""

from core.tasks.classes import ClassTask

__all__ = ["Binary"]


class Binary(ClassTask):
    name = "binary"
    classes = 2
    views = (
        *("summary", "confusion", "roc", "pr", "lift", "threshold"),
        *("epochs", "calibration", "mistakes", "slices"),
    )
