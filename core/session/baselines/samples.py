"""The samples of a run as simple models take them: rows of numbers, targets and weights."""

import math
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from core.config.schema import TrainConfig
from core.data.dataset import Dataset, Split
from core.data.inputs import Fields, joined
from core.data.mapped import MappedRows
from core.data.stream.batches import batches_of
from core.data.stream.loader import never
from core.data.stream.rows import StreamedRows
from core.data.stream.seeds import FIXED
from core.errors import DataError
from core.losses.base import TargetKind
from core.losses.weights import balanced_weights
from core.tasks.classes import likeliest
from core.tasks.registry import task_of

if TYPE_CHECKING:
    from core.data.tables.plain_columns import PlainColumns

__all__ = [
    "LearntSamples",
    "are_collated",
    "held_sequences",
    "is_streamed",
    "why_none",
    "with_some_in_memory",
]

MAX_TABLE_ROWS, MAX_OTHER_ROWS, MAX_BYTES = 20_000, 2_000, 128 << 20
"""Samples of a stream that simple models learn from, and their bytes; images take longer to read than rows."""
ROWS_AT_ONCE, BYTES_AT_ONCE = 256, 8 << 20
NUMBERS_AT_ONCE = 4 << 20
"""Of samples in memory, encoded as float32: 16 MiB."""
ALL = slice(None)


@dataclass(frozen=True)
class LearntSamples:
    """LearntSamples that simple models learn from, and are evaluated on.

    Attributes:
        splits: names of those to evaluate, which have samples.
        should_stop: polled while samples of a stream are read.
    """

    data: Dataset
    config: TrainConfig
    splits: tuple[str, ...]
    should_stop: Callable[[], bool] = never

    @property
    def kind(self) -> TargetKind:
        """Return what the targets are."""
        return task_of(self.data.task).targets

    @property
    def classes(self) -> int:
        """Return how many classes a sample has one of; 0 for numbers and for labels of which any may hold."""
        return len(self.data.class_names) if self.kind == "classes" else 0

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the classes, labels or several targets."""
        return self.data.class_names or self.data.target_names

    def encoded(self, split: str, rows: np.ndarray | slice = ALL) -> np.ndarray:
        """Return inputs as a network gets them, float32 (n, features): standardised, flat.

        Args:
            rows: positions to take; by default all.
        """
        held = self.data.splits[split].inputs
        inputs = held[rows if isinstance(rows, slice) else torch.from_numpy(rows)]
        encoded = inputs.to(torch.float32, copy=True).sub_(self.data.mean).div_(self.data.std)
        return np.asarray(encoded.flatten(1).numpy())

    @property
    def rows_at_once(self) -> int:
        """Return how many samples are encoded at once, where all would take a multiple of the memory they lie in."""
        return max(1, NUMBERS_AT_ONCE // max(1, math.prod(self.data.sample_shape)))

    def blocks(self, split: str) -> Iterator[np.ndarray]:
        """Yield all inputs of a split as `encoded` has them, some at a time.

        Raises:
            TorchtuiError: a sample of a stream cannot be read, or it is to stop.
        """
        samples, size = self.data.splits[split], self.rows_at_once
        if not is_streamed(samples):
            for start in range(0, len(samples), size):
                yield self.encoded(split, slice(start, start + size))
            return
        batches = batches_of(samples, self.data, torch.device("cpu"), self.should_stop)
        for batch in batches.iterate(batches.limit(ROWS_AT_ONCE)):
            if self.should_stop():
                raise DataError("stopped")
            yield batch.inputs.flatten(1).numpy()

    def raw_blocks(self, split: str) -> Iterator[Any]:
        """Yield the inputs of a split as they are in the source, some samples at a time: a tensor, sequences or fields.

        Raises:
            TorchtuiError: a sample of a stream cannot be read, or it is to stop.
        """
        held: Any = self.data.splits[split].inputs
        pieces = _pieces(np.arange(len(held)), self.data)
        if is_streamed(self.data.splits[split]):
            blocks = _read(held, pieces, self.should_stop)
        else:
            blocks = (held[piece] for piece in pieces)
        for block in blocks:
            if self.should_stop():
                raise DataError("stopped")
            yield block

    def plain(self) -> "PlainColumns | None":
        """Return the columns as they are: of a table from a file with its categories and what is missing.

        Without such a table, and where it is a stream, there are none: `encoded` and `blocks` have all there is.

        Raises:
            DataError: the file has changed.
        """
        wanted = ("train", *(split for split in self.splits if not is_streamed(self.data.splits[split])))
        if self.data.table is None or len(wanted) <= len(self.splits):
            return None
        from core.data.tables.plain_columns import plain_columns  # and polars, which few runs need

        return plain_columns(self.data.table, {name: self.data.splits[name].indices for name in wanted})

    def targets(self, split: str) -> np.ndarray:
        """Return classes, int64 (n,), or numbers in their own unit, float64 (n,), of several targets (n, k).

        Labels are uint8 (n, k), masks uint8 (n, height, width). Soft labels have the class of the largest share.
        """
        targets = self.data.splits[split].targets
        if self.kind == "classes":
            return likeliest(targets).numpy()
        if self.kind != "numbers":
            return targets.numpy()
        numbers = targets.double()
        return (numbers.squeeze(1) if numbers.shape[1] == 1 else numbers).numpy()

    def shares(self, split: str) -> np.ndarray | None:
        """Return soft labels, float64 (n, classes); None where a sample has one class."""
        return self.data.splits[split].targets.double().numpy() if self.data.soft else None

    @cached_property
    def weights(self) -> np.ndarray | None:
        """Return the weight of each training sample, float64 (n,), as training weighs them; None if all are equal."""
        data, loss = self.data, self.config.loss
        found = np.ones(len(data.train))
        if data.train.weights is not None:
            found *= data.train.weights.double().numpy()
        by_class = getattr(loss, "weights", None)
        of_classes = by_class(data.target_facts) if by_class is not None and self.classes else None
        balanced = self.config.training.sampling == "balanced" and self.classes
        for weights in (of_classes, balanced_weights(data.class_counts) if balanced else None):
            if weights is not None:
                found *= np.asarray(weights)[self.targets("train")]
        return None if (found == found[:1]).all() else found


def is_streamed(split: Split) -> bool:
    """Return whether the inputs of a split are read when they are used."""
    return bool(getattr(split.inputs, "is_streamed", False))


def are_collated(split: Split) -> bool:
    """Return whether the user's own collate function makes the inputs, whose shapes may be another in each batch."""
    return getattr(getattr(split.inputs, "reader", None), "collate", None) is not None


def held_sequences(inputs: Any) -> Any:
    """Return the texts, ids or signals among inputs, which are the first of several."""
    return next(iter(inputs.columns.values())) if isinstance(inputs, Fields) else inputs


def with_some_in_memory(data: Dataset, should_stop: Callable[[], bool]) -> Dataset:
    """Return a data set whose training samples are in memory: of a stream some that are drawn, the same each time."""
    train, total = data.train, len(data.train)
    if not is_streamed(train):
        return data
    most = min(MAX_TABLE_ROWS if data.kind == "table" else MAX_OTHER_ROWS, MAX_BYTES // _sample_bytes(data))
    drawn = np.random.default_rng(0).choice(total, min(total, max(1, most)), replace=False)
    rows, inputs = np.sort(drawn), train.inputs
    if isinstance(inputs, StreamedRows):
        read = joined([inputs.example[:0], *_read(inputs, _pieces(rows, data), should_stop)])
    else:
        read = inputs[rows]
    at = torch.from_numpy(rows[: len(read)])
    weights = None if train.weights is None else train.weights[at]
    return replace(data, train=Split(read, train.targets[at], train.indices[rows[: len(read)]], weights))


def _sample_bytes(data: Dataset) -> int:
    """Return the bytes of one sample at most; of a sequence, those of the longest one that was seen."""
    sizes = [math.prod(field.shape) * field.dtype.itemsize for field in data.fields]
    return max(1, sum(sizes) if sizes else 4 * math.prod(data.sample_shape))


def _pieces(rows: np.ndarray, data: Dataset) -> list[np.ndarray]:
    """Return the rows that are read at once."""
    size = max(1, min(ROWS_AT_ONCE, BYTES_AT_ONCE // _sample_bytes(data)))
    return np.array_split(rows, max(1, -(-len(rows) // size)))


def _read(inputs: StreamedRows, pieces: list[np.ndarray], should_stop: Callable[[], bool]) -> Iterator[Any]:
    """Yield the inputs of a stream; nothing more once it is to stop."""
    with closing(inputs.read(pieces, FIXED, should_stop=should_stop)) as read:
        yield from (part for part, _ in read)


def why_none(data: Dataset) -> str:
    """Return why no simple model takes the inputs of this data as one row of numbers; empty if some can.

    Whatever the inputs are, there is the model that always gives the same answer.
    """
    inputs = getattr(data.train.inputs, "example", data.train.inputs)
    if isinstance(inputs, Fields) and are_collated(data.train):
        return "a collate function makes the inputs"
    if data.ids or not isinstance(inputs, Tensor | MappedRows):
        return "the inputs are not rows of numbers"
    return ""
