"""Batches for the loop: samples lie on the device as they came, and are shuffled and standardised in bulk.

Gathering some batches at once costs the same few kernel launches as gathering one.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from core.data.arrays.held_sequences import HeldSequences
from core.data.dataset import Dataset, Split
from core.data.inputs import Fields, Inputs, split_inputs
from core.data.mapped import HeldRows, is_on_disk, read_ahead
from core.data.text.padding import lengths
from core.ranks import ONE_RANK, Ranks
from core.tasks.registry import task_of

if TYPE_CHECKING:
    from core.losses.base import LossFunction

__all__ = ["Batch", "Batches", "epoch_generator", "epoch_order"]

Piece = Tensor | slice
"""Positions of some rows."""
Draws = tuple[int, int]
"""Seed and epoch."""
Augment = Callable[[Tensor, Tensor, int], tuple[Tensor, Tensor]]

CHUNK_BYTES = 2 << 20
"""Standardised inputs gathered at once: a few batches, small enough to stay in a processor's cache."""
MAX_NUMBERS = 4 << 20
"""Of inputs that are evaluated at once: 16 MiB, of which the layers of a network make several times as many."""
ALIGNMENT_BYTES = 64
"""Alignment of every tensor that PyTorch allocates in main memory."""


class Batch(NamedTuple):
    """Some samples on the device, as a step takes them.

    Attributes:
        inputs: (b, *sample_shape), standardised; of samples of several tensors a tuple or a dict of them, see
            `core.data.inputs`.
        targets: (b,) classes, or (b, k) numbers in standardised units.
        weights: (b,) float32, how much each sample counts; None if all count alike.
    """

    inputs: Tensor | Any
    targets: Tensor
    weights: Tensor | None = None

    @property
    def samples(self) -> int:
        """Number of samples."""
        return len(self.targets)

    @property
    def given(self) -> "tuple[Any, Tensor] | Batch":
        """Return what a network's own step is given: inputs and targets, and the weights where there are some."""
        return (self.inputs, self.targets) if self.weights is None else self

    def loss(self, function: "LossFunction", outputs: Tensor) -> Tensor:
        """Return the mean loss of outputs (b, n), a scalar."""
        if self.weights is None:
            return function(outputs, self.targets)
        return function(outputs, self.targets, self.weights)

    def share_of(self, whole: "Batch") -> "float | Tensor":
        """Return the part of a larger batch that this one is: of its samples, or of their weights."""
        if self.weights is None or whole.weights is None:
            return self.samples / whole.samples
        total = whole.weights.sum()
        return self.weights.sum() / total.clamp(min=torch.finfo(total.dtype).tiny)

    def split(self, size: int) -> "Iterator[Batch]":
        """Return parts of `size` samples one by one; the last one may be smaller."""
        if self.samples <= size:
            return iter((self,))
        inputs, targets = split_inputs(self.inputs, size), torch.split(self.targets, size)
        weights = repeat(None, len(targets)) if self.weights is None else torch.split(self.weights, size)
        return map(Batch, inputs, targets, weights)


def epoch_order(samples: int, seed: int, epoch: int) -> Tensor:
    """A permutation of ``range(samples)`` that depends on `seed` and `epoch` alone; int64 (samples,)."""
    return torch.randperm(samples, generator=epoch_generator(seed, epoch))


def epoch_generator(seed: int, epoch: int) -> torch.Generator:
    """Random numbers for the order of one epoch."""
    state = np.random.SeedSequence((seed, epoch)).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(state >> np.uint64(1)))


class Batches:
    """One split on a device, ready to be iterated any number of times.

    Args:
        split: its samples; targets of a regression are standardised here, in their own precision.
        data: the data set, for its statistics.
        device: where batches are computed on.
    """

    def __init__(self, split: Split, data: Dataset, device: torch.device) -> None:
        inputs: Any = split.inputs
        self.mapped = is_on_disk(inputs) or (isinstance(inputs, Fields) and inputs.is_mapped)
        self.inputs: Any = inputs if self.mapped else inputs.to(device)
        self.fields = tuple(field.to(device) for field in data.fields)
        self._data = data
        self.targets = self._on_scale(split.targets).to(device)
        self.weights = None if split.weights is None else split.weights.float().to(device)
        self.mean = data.mean.to(device)
        self.std = data.std.to(device)
        self.ids, self.padding, self.least = data.ids, data.padding, data.min_length
        self.lengths = (
            None if self.padding is None or self.mapped else lengths(self._ids(inputs), self.padding)
        )
        self.device = device

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.targets)

    def count(self, batch_size: int) -> int:
        """Number of batches of one pass; the last one may be smaller."""
        return -(-len(self) // batch_size)

    def iterate(
        self,
        batch_size: int,
        order: Tensor | None = None,
        first: int = 0,
        augment: Augment | None = None,
        ranks: Ranks = ONE_RANK,
        draws: Draws | None = None,
    ) -> Iterator[Batch]:
        """Yield the batches.

        Args:
            order: (n,) positions to go through; by default all as they lie.
            first: number of batches to leave out at the start.
            augment: changes each batch before it is standardised, given its inputs, targets and number.
            ranks: of each batch in `order` this process gets its share alone; see `Ranks.share`.
            draws: seed and epoch that random numbers follow from, where samples are read anew; None for fixed ones.
        """
        alone = augment is not None or batch_size % ranks.size
        chunk = batch_size if alone else self._rows_at_once(batch_size)
        starts = range(first * batch_size, len(self) if order is None else len(order), chunk)
        if order is not None and not self.mapped and self.lengths is None:
            order = order.to(self.device, non_blocking=True)
        pieces = (
            slice(start, start + chunk)
            if order is None
            else ranks.share(order[start : start + chunk], batch_size)
            for start in starts
        )
        each = -(-batch_size // ranks.size)
        for number, (inputs, targets, weights) in enumerate(self._read(pieces, draws), start=first):
            if augment:
                inputs, targets = augment(inputs, targets, number)
            yield from Batch(self.standardise(inputs), targets, weights).split(each)

    def limit(self, rows: int) -> int:
        """Return how many samples to take at once where `rows` would be best; fewer of large ones in main memory."""
        if self.device.type != "cpu" or isinstance(self.inputs, Fields):
            return rows
        numbers: int = math.prod(self.inputs.shape[1:])
        return max(1, min(rows, MAX_NUMBERS // max(1, numbers)))

    def _read(self, pieces: Iterable[Piece], draws: Draws | None) -> Iterator[Batch]:
        """Yield some rows after the other; see `_gather`."""
        for held in self.inputs.columns.values() if isinstance(self.inputs, Fields) else (self.inputs,):
            if isinstance(held, HeldRows | HeldSequences):
                held.check()
        read = read_ahead if self.mapped else map
        return read(self._gather, pieces)

    def _on_scale(self, targets: Tensor) -> Tensor:
        """Return targets as the loss takes them."""
        targets = task_of(self._data.task).standardised(targets, self._data)
        return targets.float() if targets.is_floating_point() else targets

    def _gather(self, rows: Piece) -> Batch:
        """Some rows on the device; inputs are still in the unit of the data. Nothing waits for the device.

        Targets and weights are copies: a loss may change those that it is given.
        """
        places = rows if isinstance(rows, slice) else rows.to(self.device, non_blocking=True)
        weights = None if self.weights is None else _copied(self.weights, places)
        if self.mapped:
            inputs = self._shortened(self.inputs[rows.numpy() if isinstance(rows, Tensor) else rows])
            if self.device.type == "cuda":
                inputs = inputs.pin_memory()
            return Batch(inputs.to(self.device, non_blocking=True), _copied(self.targets, places), weights)
        if isinstance(places, slice):
            return Batch(self._shortened(self.inputs[places], rows), _copied(self.targets, places), weights)
        # index_select copies whole rows, many times as fast as indexing does
        inputs = self._shortened(self.inputs.index_select(0, places), rows)
        return Batch(inputs, self.targets.index_select(0, places), weights)

    def standardise(self, inputs: Tensor | Any) -> Inputs:
        """float32 inputs with the training data's mean and deviation taken out, or ids as int64; a new tensor.

        Fields each as they are described, and padded.
        """
        if isinstance(inputs, Fields):
            return inputs.batch(self.fields)
        if self.ids:
            return inputs.to(torch.int64, copy=True)
        if inputs.dtype == torch.float32:
            return torch.sub(inputs, self.mean).div_(self.std)
        return inputs.to(torch.float32, copy=True).sub_(self.mean).div_(self.std)

    def _shortened(self, inputs: Tensor | Any, rows: Piece | None = None) -> Tensor | Any:
        """Return inputs, of which ids may be filled, without the steps that no sample has.

        Args:
            rows: which samples they are, on the processor, where lengths are known; else these are read from the ids.
        """
        if self.padding is None:
            return inputs
        ids = self._ids(inputs)
        known = lengths(ids, self.padding) if self.lengths is None or rows is None else self.lengths[rows]
        ids = ids[:, : max(self.least, int(known.max()) if len(known) else 0)]
        return Fields({**inputs.columns, self.fields[0].name: ids}) if isinstance(inputs, Fields) else ids

    def _ids(self, inputs: Tensor | Any) -> Tensor:
        """Return what is filled with `padding`: all that a sample has, or its first field."""
        ids = inputs.columns[self.fields[0].name] if isinstance(inputs, Fields) else inputs
        assert isinstance(ids, Tensor)
        return ids

    def _rows_at_once(self, batch_size: int) -> int:
        """Rows of some whole batches; of one batch where the next would not lie as a tensor of its own does.

        Matrix products round otherwise when their operands are aligned otherwise, and a batch must give the same
        bits wherever an iteration began.
        """
        if isinstance(self.inputs, Fields) or self.padding is not None:  # padded to its own longest sequence
            return batch_size
        batch_bytes = 4 * batch_size * max(1, self.inputs[:1].numel())
        if batch_bytes % ALIGNMENT_BYTES:
            return batch_size
        return int(batch_size * max(1, CHUNK_BYTES // batch_bytes))


def _copied(values: Tensor, places: Piece) -> Tensor:
    """Return some rows as a tensor of its own; those of a slice would be part of all rows."""
    return values[places].clone() if isinstance(places, slice) else values[places]
