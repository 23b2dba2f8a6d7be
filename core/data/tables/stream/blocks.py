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
from core.errors import OutOfMemory
from core.machine import room_in_process

__all__ = ["WINDOW_BYTES", "Blocks", "Features", "KeptBlocks", "block_rows", "blocks_in_window"]

WINDOW_BYTES = 64 << 20
"""Of the features that rows are shuffled among; it depends on no machine, nor does the order of an epoch."""
BLOCK_BYTES = 8 << 20
"""Of the features of a block, which is read whole, and of its columns as they stand in the files."""
ROOM_BYTES = 4 * BLOCK_BYTES
"""Needed to read a block, about: compressed, as it stands in the file, read, and as features."""
MAX_BLOCK_ROWS = 65_536
NUMBER_BYTES, VALUE_BYTES = 4, 8
"""Of a feature; and of a value in a file, about."""

Features = Callable[[Source], Tensor]
"""Makes the rows of an opened source features, float32 (n, features)."""


def block_rows(columns: int, features: int = 0) -> int:
    """Return how many rows a block has; the last one of a file has fewer."""
    row_bytes = max(1, NUMBER_BYTES * features, VALUE_BYTES * columns)
    return max(1, min(MAX_BLOCK_ROWS, BLOCK_BYTES // row_bytes))


def blocks_in_window(rows: int, features: int) -> int:
    """Return how many blocks of so many rows are shuffled among."""
    return max(2, WINDOW_BYTES // (NUMBER_BYTES * rows * max(1, features)))


class Blocks:
    """All rows of some files, in blocks.

    Args:
        files: opened; their rows count from 0 through all of them.
        counts: how many rows each of them has.
        rows: of a block; the last one of a file has fewer.
    """

    def __init__(self, files: tuple[Source, ...], counts: tuple[int, ...], rows: int) -> None:
        self._files, self._counts, self.rows = files, counts, rows
        self._places = [
            (file, at, min(rows, count - at))
            for file, count in zip(files, counts, strict=True)
            for at in range(0, count, rows)
        ]

    @classmethod
    def of(cls, files: tuple[Source, ...]) -> "Blocks":
        """Return the rows of files in blocks that suit their columns.

        Raises:
            Damaged: a file is damaged.
        """
        return cls(files, tuple(file.row_count() for file in files), block_rows(len(files[0].names)))

    def suiting(self, features: int) -> "Blocks":
        """Return the same rows in blocks that suit the features they become, too."""
        return Blocks(self._files, self._counts, block_rows(len(self._files[0].names), features))

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
        """Return a block as a source of its own, to be read at once.

        Raises:
            OutOfMemory: a limit of this process leaves no room for it. Its reader would end in a thread of its own
                then, for which everything else would wait.
        """
        room = room_in_process()
        if room is not None and room < ROOM_BYTES:
            raise OutOfMemory(
                f"the limit on the memory of this process leaves {max(0, room) / 2**20:.0f} MiB, and rows of a "
                f"streamed table are read in blocks that take up to {ROOM_BYTES / 2**20:.0f} MiB",
                "Raise the limit, or stream fewer columns: leave some out with data.drop",
            )
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
            self.source(block).head(names, self.rows)[rows[at] - self.starts[block]]
            for block, at in self.pieces(rows)
        ]
        joined: pl.DataFrame = pl.concat(parts, how="vertical_relaxed")
        return joined


class KeptBlocks:
    """Features of blocks, the last ones used of which are kept; for several threads.

    Args:
        window: how many blocks rows are shuffled among. As many are kept, and those that the rows of a batch are in
            beside, at most twice as many.
    """

    def __init__(self, blocks: Blocks, features: Features, window: int) -> None:
        self.blocks, self.window, self._features, self._kept = blocks, window, features, window + 2
        self._held: OrderedDict[int, Tensor] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def nbytes(self) -> int:
        """Return the bytes that are held."""
        return sum(held.nbytes for held in self._held.values())

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
        pieces = [*self.blocks.pieces(rows)]
        with self._lock:
            pieces.sort(key=lambda piece: piece[0] not in self._held)  # before others take their place
            self._kept = min(max(self.window, len(pieces)) + 2, 2 * self.window)
        for block, at in pieces:
            held = self[block]
            if found is None:
                found = torch.empty(len(rows), held.shape[1])
            found[torch.from_numpy(at)] = held[torch.from_numpy(rows[at] - self.blocks.starts[block])]
        return self[0][:0] if found is None else found
