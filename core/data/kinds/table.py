"""Rows of a table: (features,)."""

from core.data.kinds.base import Kind
from core.data.kinds.sample import Sample

__all__ = ["TABLE"]


class _Table(Kind):
    def form(self, sample: Sample) -> str:
        return f"{super().form(sample)} features"


TABLE = _Table(
    name="table",
    samples="rows of a table",
    shown="row",
    reads="rows",
    statistics="columns",
    parts="columns",
    holds="numbers",
)
