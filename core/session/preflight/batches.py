"""The batches that a network is tried on: those of the first epoch that may be of another size than the others."""

import torch

from core.config.schema import TrainConfig
from core.data.augment.augmenter import augmenter
from core.data.batches import Batch, Batches
from core.data.dataset import Dataset
from core.data.sampling import training_order
from core.ranks import Ranks

__all__ = ["smallest_part", "training_batches"]


def training_batches(config: TrainConfig, data: Dataset, device: torch.device, ranks: Ranks) -> list[Batch]:
    """Return the first and the last batch of the first epoch; one if they are the same."""
    settings, size = config.training, config.training.step_samples
    order = training_order(settings, data, 0)
    last = settings.steps_per_epoch(len(order)) - 1
    augment = augmenter(config.data, data, config.loss, settings.seed)(0)
    whole = [order[number * size : (number + 1) * size] for number in dict.fromkeys((0, last))]
    least = 2 if settings.sync_batch_norm and ranks.size > 1 else 1  # a layer over all sees more than one
    rows = [max(ranks.share(batch, size), batch[:least], key=len) for batch in whole]
    batches: list[Batch] = []
    for some in rows:
        batches += Batches(data.train.rows(some), data, device).iterate(len(some), augment=augment)
    return batches


def smallest_part(config: TrainConfig, samples: int, ranks: Ranks) -> int:
    """Return the fewest samples that the network gets at once in training."""
    settings = config.training
    samples = settings.samples_per_epoch(samples)
    last = samples - (settings.steps_per_epoch(samples) - 1) * settings.step_samples
    share, size = max(1, last // ranks.size), -(-settings.batch_size // ranks.size)
    return share % size or min(share, size)
