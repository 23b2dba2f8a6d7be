"""Samples of a split that are read when they are asked for, indexed as a tensor of rows is."""

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.data.inputs import Fields
from core.data.stream.loader import Workers, never, read_all
from core.data.stream.reader import BatchReader, Wanted
from core.data.stream.seeds import FIXED, Draws

__all__ = ["Places", "StreamedRows"]

FEW = 8
Places = int | slice | Tensor | np.ndarray


@dataclass(frozen=True, eq=False)
class StreamedRows:
    """The inputs of some samples of a data set; each is read anew, with fixed random numbers unless others are given.

    Attributes:
        reader: reads batches of inputs and targets.
        rows: (n,) places in the data set, in the order of the split.
        example: the inputs of one sample, (1, *sample_shape).
        workers: how batches are read; those of all splits share it.
        order: the user's own order of an epoch, (n,) positions; None shuffles.
        expected: targets of all samples of the data set, by their place, which those read must equal; None allows
            others.
    """

    is_streamed = True

    reader: BatchReader
    rows: np.ndarray
    example: Any
    workers: Workers
    order: Callable[[Draws], np.ndarray] | None = None
    expected: Tensor | None = None

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def shape(self) -> tuple[int, ...]:
        """That of the tensor these rows would be."""
        return (
            (len(self.rows),)
            if isinstance(self.example, Fields)
            else (len(self.rows), *self.example.shape[1:])
        )

    @property
    def dtype(self) -> torch.dtype:
        """That of the tensor these rows would be."""
        dtype: torch.dtype = self.example.dtype
        return dtype

    @property
    def nbytes(self) -> int:
        """Bytes of the tensor these rows would be."""
        return int(self.example.nbytes) * len(self.rows)

    def at(self, positions: np.ndarray) -> "StreamedRows":
        """Return the rows at some positions, which are not read yet."""
        return replace(self, rows=self.rows[positions])

    @property
    def own_order(self) -> str:
        """Return what orders an epoch; empty where any order will do."""
        if self.reader.in_order:
            return "an IterableDataset keeps its own order"
        return "" if self.order is None else "the data comes with a sampler of its own"

    def epoch_order(self, draws: Draws) -> Tensor | None:
        """Return the positions of an epoch as the data set or the user orders them, int64 (n,); None if any will do."""
        if self.reader.in_order:
            return torch.arange(len(self))
        return None if self.order is None else torch.from_numpy(self.order(draws))

    def __getitem__(self, at: Places) -> Any:
        """Read one row, or several, in this process."""
        chosen = self.rows[at.numpy() if isinstance(at, Tensor) else at]
        if np.ndim(chosen) == 0:
            return self[np.asarray([at])][0]
        if not len(chosen):
            return self.example[:0]
        order = np.argsort(chosen, kind="stable")
        ((inputs, _),) = read_all(self.reader, [Wanted(FIXED, chosen[order].tolist())], Workers())
        return inputs[torch.from_numpy(np.argsort(order, kind="stable"))]

    def one(self, at: int) -> Any:
        """Return the fields of one sample."""
        return self[np.asarray([at])].one(0)

    @property
    def few(self) -> Any:
        """Read some samples that stand for all: from all over the set, or the first ones of a stream."""
        count = min(FEW, len(self))
        step = 1 if self.reader.in_order else max(1, len(self) // max(1, count))
        return self[np.arange(count) * step]

    def index_select(self, dim: int, at: Tensor) -> Any:
        """Read the rows at these positions; `dim` is 0, as for a tensor of rows."""
        return self[at]

    def read(
        self,
        pieces: Iterable[np.ndarray],
        draws: Draws,
        *,
        pin: bool = False,
        should_stop: Callable[[], bool] = never,
    ) -> Generator[tuple[Any, Tensor | None], None, None]:
        """Yield inputs, and targets if the source holds them, of the rows at each piece's positions, read ahead."""
        tasks = (Wanted(draws, self.rows[piece].tolist()) for piece in pieces)
        return read_all(self.reader, tasks, self.workers, pin=pin, should_stop=should_stop)
