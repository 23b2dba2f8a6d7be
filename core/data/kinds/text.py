"""Texts, as ids of the words or bytes of a vocabulary: (length,), maybe beside the features of a table."""

from core.counting import counted
from core.data.kinds.base import Kind
from core.data.kinds.sample import Sample

__all__ = ["TEXT"]


class _Text(Kind):
    def form(self, sample: Sample) -> str:
        shape = sample.fields[0].shape if sample.fields else sample.shape
        beside = f" and {counted(sample.features, 'feature')}" if sample.features else ""
        return f"up to {counted(shape[0], 'token')}{beside}"


TEXT = _Text(
    name="text",
    samples="texts",
    shown="text",
    reads="texts",
    statistics="none",
    parts="columns",
    holds="text",
)
