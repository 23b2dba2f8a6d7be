"""Sequences of ids that a network looks up: (length,) whole numbers."""

from core.data.kinds.base import Kind

__all__ = ["TOKENS"]


class _Tokens(Kind):
    def form(self, shape: tuple[int, ...]) -> str:
        return f"{super().form(shape)} tokens"


TOKENS = _Tokens(
    name="tokens",
    samples="sequences of tokens",
    shown="text",
    reads="arrays",
    statistics="none",
    parts="tokens",
    holds="ids",
)
