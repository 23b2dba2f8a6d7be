"""The training that is profiled: steps of a copy, as the engine takes them, for as long as one looks at them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from core.config.schema import TrainConfig
from core.data.augment.augmenter import augmenter
from core.data.batches import Batch, Batches
from core.data.sampling import training_order
from core.data.stream.batches import batches_of
from core.models.copies import copied
from core.training.context import TrainingContext
from core.training.learner import Learner
from core.training.own.learner import learner_for
from core.training.step import Step

if TYPE_CHECKING:
    from core.session.preparation import Prepared

__all__ = ["Subject", "subject", "wait_for"]


@dataclass(frozen=True)
class Subject:
    """A copy of what trains, and its batches, which never end: epoch follows epoch."""

    learner: Learner
    batches: Iterator[Batch]
    validation: Batches


def subject(
    prepared: "Prepared", config: TrainConfig | None = None, around: Callable[[Step], Step] | None = None
) -> Subject:
    """Return a new copy, trained from where the model is now; the model itself stays as it is.

    Args:
        config: other settings than those of `prepared`.
        around: see `core.training.learner.Learner.build_step`.
    """
    config, device = config or prepared.config, prepared.device
    context = TrainingContext(device, own_metrics=prepared.own_metrics)
    learner = learner_for(config, prepared.data, copied(prepared.model).to(device), context)
    if around:
        learner.step = learner.build_step(around)
    learner.train()
    validation = batches_of(prepared.data.validation, prepared.data, device)
    return Subject(learner, _batches(prepared, config), validation)


def wait_for(device: torch.device) -> None:
    """Wait until a device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def _batches(prepared: "Prepared", config: TrainConfig) -> Iterator[Batch]:
    settings, data, epoch = config.training, prepared.data, 0
    train = batches_of(data.train, data, prepared.device)
    augment = augmenter(config.data, data, config.loss, settings.seed)
    while True:
        order = training_order(settings, data, epoch)
        draws = settings.seed, epoch
        yield from train.iterate(settings.step_samples, order, 0, augment(epoch), draws=draws)
        epoch += 1
