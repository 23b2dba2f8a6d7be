"""Texts, as ids of the words or bytes of a vocabulary: (length,), maybe beside the features of a table."""

from core.data.kinds.base import Kind

__all__ = ["TEXT"]


class _Text(Kind):
    def form(self, shape: tuple[int, ...]) -> str:
        return f"up to {super().form(shape)} tokens"


TEXT = _Text(
    name="text",
    samples="texts",
    shown="text",
    reads="texts",
    statistics="none",
    parts="columns",
    holds="text",
)
