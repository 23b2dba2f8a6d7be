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
from core.training.distributed import SINGLE, Group
from core.training.learner import Learner
from core.training.own.learner import learner_for
from core.training.sharding.choice import is_sharded
from core.training.step import Step

if TYPE_CHECKING:
    from core.session.preparation import Prepared

__all__ = ["Subject", "subject", "wait_for"]


@dataclass(frozen=True)
class Subject:
    """A copy of what trains, and its batches, which never end: epoch follows epoch.

    Attributes:
        steps: each batch, and how many samples all processes have of it.
    """

    learner: Learner
    steps: Iterator[tuple[Batch, int]]
    validation: Batches

    @property
    def batches(self) -> Iterator[Batch]:
        """The batches that are left."""
        return (batch for batch, _ in self.steps)


def subject(
    prepared: "Prepared",
    config: TrainConfig | None = None,
    around: Callable[[Step], Step] | None = None,
    group: Group = SINGLE,
) -> Subject:
    """Return a new copy, trained from where the model is now; the model itself stays as it is.

    Args:
        config: other settings than those of `prepared`.
        around: see `core.training.learner.Learner.build_step`.
        group: the processes that train it together, each its share of a batch.
    """
    config, device = config or prepared.config, prepared.device
    context = TrainingContext(device, group, own_metrics=prepared.own_metrics)
    network = copied(prepared.model)
    if not is_sharded(config.training, group):  # else it may not fit on one device
        network.to(device)
    learner = learner_for(config, prepared.data, network, context)
    if around:
        learner.step = learner.build_step(around)
    learner.train()
    validation = batches_of(prepared.data.validation, prepared.data, device)
    return Subject(learner, _steps(prepared, config, group), validation)


def wait_for(device: torch.device) -> None:
    """Wait until a device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def _steps(prepared: "Prepared", config: TrainConfig, group: Group) -> Iterator[tuple[Batch, int]]:
    settings, data, epoch = config.training, prepared.data, 0
    train = batches_of(data.train, data, prepared.device)
    augment = augmenter(config.data, data, config.loss, settings.seed)
    while True:
        order = training_order(settings, data, epoch)
        draws = settings.seed, epoch
        size = settings.step_samples
        for number, batch in enumerate(train.iterate(size, order, 0, augment(epoch), group, draws)):
            yield batch, min(size, len(order) - number * size)
        epoch += 1
