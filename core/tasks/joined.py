"""Tensors of batches, one below the other, kept in few large blocks of memory.

A small tensor that stays lies where the large ones of its batch were; those of the next batch do not fit in what is
left, so that a list of such tensors would make the process grow by all that a batch needs, with every batch.
"""

from collections.abc import Iterable

import torch
from torch import Tensor

__all__ = ["Joined", "joined"]


class Joined:
    """Tensors (b, ...) of one shape beside their rows, each copied when it is added; types are promoted."""

    def __init__(self) -> None:
        self._held: Tensor | None = None
        self._count = 0

    def add(self, part: Tensor) -> None:
        """Put a tensor below the others.

        Raises:
            RuntimeError: it has another shape than they have.
        """
        end = self._count + len(part)
        if self._held is None:
            self._held = part.new_empty(part.shape)
        elif part.shape[1:] != self._held.shape[1:]:
            raise RuntimeError(f"{tuple(part.shape)} does not go below {tuple(self._held.shape)}")
        self._held = self._held.to(torch.promote_types(self._held.dtype, part.dtype))
        if end > len(self._held):
            larger = self._held.new_empty((max(end, 2 * len(self._held)), *part.shape[1:]))
            larger[: self._count] = self._held[: self._count]
            self._held = larger
        self._held[self._count : end] = part
        self._count = end

    def whole(self, nothing: Tensor | None = None) -> Tensor:
        """Return all of them, (n, ...); `nothing`, which has no rows, where there are none.

        Raises:
            RuntimeError: there are none, and nothing stands for them.
        """
        if self._held is not None:
            return self._held[: self._count]
        if nothing is None:
            raise RuntimeError("there are no batches")
        return nothing


def joined(parts: Iterable[Tensor]) -> Tensor:
    """Return tensors (b, ...) one below the other.

    Raises:
        RuntimeError: there are none, or they differ in their shapes.
    """
    found = Joined()
    for part in parts:
        found.add(part)
    return found.whole()
