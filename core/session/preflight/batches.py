"""The batches that a network is tried on: those of the first epoch that may be of another size than the others."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from core.config.schema import TrainConfig
from core.data.augment.augmenter import augmenter
from core.data.batches import Batches
from core.data.dataset import Dataset, Split
from core.data.mapped import MappedRows
from core.data.sampling import training_order
from core.ranks import Ranks
from core.user_code.batch_notes import shape_of

__all__ = ["Batch", "smallest_part", "some_rows", "training_batches"]


@dataclass(frozen=True)
class Batch:
    """One batch as the loop gets it."""

    inputs: Tensor
    targets: Tensor

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def shapes(self) -> str:
        """Sizes of the batch, for messages."""
        return f"inputs {shape_of(self.inputs)}"


def training_batches(config: TrainConfig, data: Dataset, device: torch.device, ranks: Ranks) -> list[Batch]:
    """Return the first and the last batch of the first epoch; one if they are the same."""
    settings, size = config.training, config.training.step_samples
    order = training_order(settings, data, 0)
    last = settings.steps_per_epoch(len(order)) - 1
    augment = augmenter(config.data, data, config.loss, settings.seed)(0)
    rows = [ranks.share(order[number * size : (number + 1) * size]) for number in dict.fromkeys((0, last))]
    batches = []
    for some in rows:
        split = some_rows(data.train, some)
        batches += [
            Batch(inputs, targets)
            for inputs, targets in Batches(split, data, device).iterate(len(some), augment=augment)
        ]
    return batches


def some_rows(split: Split, rows: Tensor) -> Split:
    """Return the samples of a split at some positions."""
    inputs = split.inputs[rows.numpy()] if isinstance(split.inputs, MappedRows) else split.inputs[rows]
    return Split(inputs, split.targets[rows], split.indices[np.asarray(rows)])


def smallest_part(config: TrainConfig, samples: int, ranks: Ranks) -> int:
    """Return the fewest samples that the network gets at once in training."""
    settings = config.training
    samples = settings.samples_per_epoch(samples)
    last = samples - (settings.steps_per_epoch(samples) - 1) * settings.step_samples
    share, size = last // ranks.size, settings.batch_size // ranks.size
    return share % size or min(share, size)
