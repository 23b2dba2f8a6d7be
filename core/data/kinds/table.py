"""Rows of a table: (features,)."""

from core.data.kinds.base import Kind

__all__ = ["TABLE"]


class _Table(Kind):
    def form(self, shape: tuple[int, ...]) -> str:
        return f"{super().form(shape)} features"


TABLE = _Table(
    name="table",
    samples="rows of a table",
    shown="row",
    reads="rows",
    statistics="columns",
    parts="columns",
    holds="numbers",
)
