"""Sequences of ids that a network looks up: (length,) whole numbers."""

from core.data.kinds.base import Kind
from core.data.kinds.sample import Sample

__all__ = ["TOKENS"]


class _Tokens(Kind):
    def form(self, sample: Sample) -> str:
        return f"{super().form(sample)} tokens"


TOKENS = _Tokens(
    name="tokens",
    samples="sequences of tokens",
    shown="text",
    reads="arrays",
    statistics="none",
    parts="tokens",
    holds="ids",
)
