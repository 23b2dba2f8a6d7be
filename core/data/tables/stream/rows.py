"""Rows of a split of a streamed table, indexed as a tensor of them is, and the order that they are trained in."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from core.data.batches import Draws, epoch_generator
from core.data.mapped import MappedRows
from core.data.tables.stream.blocks import KeptBlocks

if TYPE_CHECKING:
    Places = int | slice | Tensor | np.ndarray

__all__ = ["TableRows"]


class TableRows(MappedRows):
    """Features of some rows, which are read when they are asked for.

    Args:
        kept: blocks of rows; those of all splits are the same.
        rows: (n,) int64 which of them, ascending.
    """

    is_streamed = True

    def __init__(self, kept: KeptBlocks, rows: np.ndarray, features: int) -> None:
        self.kept, self.rows, self.features = kept, rows, features

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.rows), self.features)

    @property
    def dtype(self) -> torch.dtype:
        return torch.float32

    @property
    def nbytes(self) -> int:
        return 4 * len(self.rows) * self.features

    def __getitem__(self, at: "Places") -> Tensor:
        chosen = self.rows[at.numpy() if isinstance(at, Tensor) else at]
        read = self.kept.rows(np.atleast_1d(chosen))
        return read if np.ndim(chosen) else read[0]

    @property
    def own_order(self) -> str:
        """Return what orders an epoch; empty where any order will do."""
        if int((self._rows_of_blocks(self._blocks) > 0).sum()) <= self.kept.window:
            return ""
        return "rows of a streamed table come in an order that reads each file once"

    def epoch_order(self, draws: Draws) -> Tensor | None:
        """Return the positions of an epoch, int64 (n,), from seed and epoch alone; None if any order will do.

        Blocks come in random order, and each row up to a window of blocks after the first one of its block: so few
        blocks are in use at a time, and a new one is read after the other.
        """
        blocks = self._blocks
        there = self._rows_of_blocks(blocks) > 0
        window, used = self.kept.window, int(there.sum())
        if used <= window:
            return None
        generator = epoch_generator(*draws)
        rank = torch.randperm(used, generator=generator).double()
        places = rank[torch.from_numpy(np.maximum(np.cumsum(there) - 1, 0))][torch.from_numpy(blocks)]
        del blocks
        late = torch.rand(len(self.rows), generator=generator, dtype=torch.float64)
        return places.add_(late.mul_(window)).remainder_(used).argsort(stable=True)

    @property
    def _blocks(self) -> np.ndarray:
        """Return which block each row is in, int64 (n,)."""
        return self.kept.blocks.block_of(self.rows)

    def _rows_of_blocks(self, blocks: np.ndarray) -> np.ndarray:
        """Return how many rows are in each block."""
        return np.bincount(blocks, minlength=len(self.kept.blocks))
