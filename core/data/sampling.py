"""Order of the training samples in an epoch."""

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from core.data.batches import epoch_generator, epoch_order
from core.data.dataset import Dataset
from core.errors import ConfigError
from core.tasks.classes import likeliest
from core.tasks.registry import task_of

if TYPE_CHECKING:
    from core.config.training import Training

__all__ = ["balanced_order", "check_sampling", "training_order"]


def training_order(settings: "Training", data: Dataset, epoch: int) -> Tensor:
    """Positions of the training samples in the order of one epoch, counted from 0; int64 (n,).

    It depends on the seed and the epoch alone, so that a run resumes with the same batches.
    """
    inputs: Any = data.train.inputs
    own: Tensor | None = inputs.epoch_order((settings.seed, epoch)) if data.is_streamed else None
    if own is not None:
        order = own
    elif settings.sampling == "balanced":
        order = balanced_order(likeliest(data.train.targets), settings.seed, epoch)
    else:
        order = epoch_order(len(data.train), settings.seed, epoch)
    return order[: settings.samples_per_epoch(len(order))]


def balanced_order(targets: Tensor, seed: int, epoch: int) -> Tensor:
    """Return as many positions as there are targets (n,), equally many of each class that occurs, shuffled.

    A large class is left out in part, another part each epoch; a small one comes again and again, and no sample a
    second time before all of its class have come.
    """
    generator = epoch_generator(seed, epoch)
    counts = targets.bincount()
    members = [part for part in torch.split(targets.argsort(stable=True), counts.tolist()) if len(part)]
    chosen = []
    for place, part in enumerate(members):
        share = len(targets) // len(members) + (place < len(targets) % len(members))
        rounds = [part[torch.randperm(len(part), generator=generator)] for _ in range(-(-share // len(part)))]
        chosen += [torch.cat(rounds)[:share]] if rounds else []
    order = torch.cat(chosen)
    return order[torch.randperm(len(order), generator=generator)]


def check_sampling(settings: "Training", task: str, own_order: str) -> None:
    """Make sure that there are classes to balance.

    Args:
        own_order: what orders an epoch in the place of the settings; empty where nothing does.

    Raises:
        ConfigError: there are not, or the order is not to be chosen.
    """
    if settings.sampling == "balanced" and own_order:
        raise ConfigError(
            f"training.sampling: balanced draws samples by their class, and {own_order}",
            "Use shuffled, and balance the data set itself, or weigh classes in the loss",
            field="training.sampling",
        )
    if settings.sampling == "balanced" and not task_of(task).balances:
        raise ConfigError(
            f"training.sampling: balanced goes by classes, and this is a {task} task",
            "Use shuffled",
            field="training.sampling",
        )
