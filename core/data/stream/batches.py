"""Batches of a split that is read while it is used."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing

import numpy as np
import torch
from torch import Tensor

from core.data.batches import Batch, Batches, Draws
from core.data.dataset import Dataset, Split
from core.data.inputs import Fields
from core.data.stream.loader import never
from core.data.stream.memory import give_back_large_blocks
from core.data.stream.rows import StreamedRows
from core.data.stream.seeds import FIXED
from core.errors import DataError

__all__ = ["StreamedBatches", "batches_of"]

MAX_BYTES, MAX_DEVICE_BYTES = 8 << 20, 64 << 20
"""Of the inputs of a batch whose size is free, as in an evaluation: in main memory, where large blocks of almost the
size of the allocator's limit fragment it, and on another device."""


def batches_of(
    split: Split, data: Dataset, device: torch.device, should_stop: Callable[[], bool] = never
) -> Batches:
    """Return the batches of a split, however it is fed.

    Args:
        should_stop: an iteration that waits for a batch ends early once it returns true.
    """
    if isinstance(split.inputs, StreamedRows):
        return StreamedBatches(split, data, device, should_stop)
    if getattr(split.inputs, "is_streamed", False):
        give_back_large_blocks()
    return Batches(split, data, device)


class StreamedBatches(Batches):
    """Batches whose inputs come from the user's data set, read ahead; targets of a split stay in memory."""

    def __init__(
        self, split: Split, data: Dataset, device: torch.device, should_stop: Callable[[], bool] = never
    ) -> None:
        give_back_large_blocks()
        super().__init__(Split(split.inputs[:0], split.targets, split.indices, split.weights), data, device)
        assert isinstance(split.inputs, StreamedRows)
        self.rows, self.should_stop, self.mapped = split.inputs, should_stop, True

    def limit(self, rows: int) -> int:
        example = self.rows.example
        sample_bytes = example.nbytes if isinstance(example, Fields) else 4 * example.numel()
        limit = MAX_BYTES if self.device.type == "cpu" else MAX_DEVICE_BYTES
        return max(1, min(rows, limit // max(1, sample_bytes)))

    def _rows_at_once(self, batch_size: int) -> int:
        return batch_size

    def _read(self, pieces: Iterable[slice | Tensor], draws: Draws | None) -> Iterator[Batch]:
        some = [*pieces]
        positions = [self._positions(piece) for piece in some]
        pin = self.device.type == "cuda"
        read = self.rows.read(positions, draws or FIXED, pin=pin, should_stop=self.should_stop)
        with closing(read):
            for at, (inputs, targets) in zip(positions, read, strict=False):  # a stopped one ends early
                inputs = self._shortened(inputs).to(self.device, non_blocking=True)
                places = torch.from_numpy(at).to(self.device, non_blocking=True)
                weights = None if self.weights is None else self.weights[places]
                if targets is None:
                    yield Batch(inputs, self.targets[places], weights)
                elif self.rows.expected is None:
                    yield Batch(inputs, self._on_scale(targets).to(self.device, non_blocking=True), weights)
                else:
                    self._check(targets, at)
                    yield Batch(inputs, self.targets[places], weights)

    def _positions(self, piece: slice | Tensor) -> np.ndarray:
        if isinstance(piece, slice):
            return np.arange(*piece.indices(len(self)))
        return piece.numpy()

    def _check(self, targets: Tensor, positions: np.ndarray) -> None:
        """Make sure that these are the samples that were counted and split.

        Raises:
            DataError: a target is not what it was when the data set was first read.
        """
        places = self.rows.rows[positions]
        assert self.rows.expected is not None
        expected = self.rows.expected[places]
        if targets.shape == expected.shape and torch.equal(targets, expected):
            return
        same_shape = targets.shape == expected.shape
        place = (
            int(places[int((targets != expected).view(len(places), -1).any(1).int().argmax())])
            if same_shape
            else 0
        )
        name, in_order = self.rows.reader.name, self.rows.reader.in_order
        raise DataError(
            f"data.path: sample {place:,} of {name} has another target than when it was first read",
            "Give samples in the same order each time, or return sets for validation and test of their own"
            if in_order
            else "Give validation and test samples the same target each time; a collate function keeps their order",
        )
