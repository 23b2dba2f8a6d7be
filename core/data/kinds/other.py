"""Samples of any other shape, such as volumes: no kind that anything is known about."""

from core.data.kinds.base import Kind

__all__ = ["OTHER"]

OTHER = Kind(
    name="other",
    samples="arrays",
    shown="row",
    reads="arrays",
    statistics="all",
    parts="values",
    holds="numbers",
)
