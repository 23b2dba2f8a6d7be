"""Blocks of consecutive rows of Parquet files, and their features, of which the last ones used are kept."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property

import numpy as np
import polars as pl
import torch
from torch import Tensor

from core.data.tables.files.source import Source

__all__ = ["BLOCK_ROWS", "Blocks", "Features", "KeptBlocks"]

BLOCK_ROWS = 65_536
"""Rows of a block, which is read whole; the last one of a file has fewer."""

Features = Callable[[Source], Tensor]
"""Makes the rows of an opened source features, float32 (n, features)."""


class Blocks:
    """All rows of some files, in blocks.

    Args:
        files: opened; their rows count from 0 through all of them.
    """

    def __init__(self, files: tuple[Source, ...]) -> None:
        self._files = files
        self._places: list[tuple[Source, int, int]] = []
        for file in files:
            rows = file.row_count()
            self._places += [(file, at, min(BLOCK_ROWS, rows - at)) for at in range(0, rows, BLOCK_ROWS)]

    def __len__(self) -> int:
        return len(self._places)

    @cached_property
    def starts(self) -> np.ndarray:
        """Return the first row of each block, and one more than the last row, int64 (blocks + 1,)."""
        return np.cumsum([0, *(length for _, _, length in self._places)], dtype=np.int64)

    def block_of(self, rows: np.ndarray) -> np.ndarray:
        """Return which block each row is in."""
        found: np.ndarray = np.searchsorted(self.starts, rows, side="right") - 1
        return found

    def source(self, block: int) -> Source:
        """Return a block as a source of its own."""
        file, first, length = self._places[block]
        return replace(file, frame=file.frame.slice(first, length), first=first)

    def pieces(self, rows: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        """Yield each block that some rows are in, and the positions of these among `rows`."""
        blocks = self.block_of(rows)
        for block in np.unique(blocks).tolist():
            yield block, np.flatnonzero(blocks == block)

    def raw(self, rows: np.ndarray) -> pl.DataFrame:
        """Return rows as they stand in the files, in the order of `rows`, which ascend.

        Raises:
            Damaged: a file is damaged.
        """
        names = self._files[0].names
        parts = [
            self.source(block).head(names, BLOCK_ROWS)[rows[at] - self.starts[block]]
            for block, at in self.pieces(rows)
        ]
        joined: pl.DataFrame = pl.concat(parts, how="vertical_relaxed")
        return joined


class KeptBlocks:
    """Features of blocks, the last ones used of which are kept; for several threads.

    Args:
        kept: how many.
    """

    def __init__(self, blocks: Blocks, features: Features, kept: int) -> None:
        self.blocks, self._features, self._kept = blocks, features, kept
        self._held: OrderedDict[int, Tensor] = OrderedDict()
        self._lock = threading.Lock()

    def __getitem__(self, block: int) -> Tensor:
        """Return the features of a block, float32 (rows, features)."""
        with self._lock:
            if block not in self._held:
                while len(self._held) >= self._kept:
                    self._held.popitem(last=False)
                self._held[block] = self._features(self.blocks.source(block))
            self._held.move_to_end(block)
            return self._held[block]

    def rows(self, rows: np.ndarray) -> Tensor:
        """Return the features of some rows, float32 (n, features), in their order."""
        found: Tensor | None = None
        for block, at in self.blocks.pieces(rows):
            held = self[block]
            if found is None:
                found = torch.empty(len(rows), held.shape[1])
            found[torch.from_numpy(at)] = held[torch.from_numpy(rows[at] - self.blocks.starts[block])]
        return self[0][:0] if found is None else found
