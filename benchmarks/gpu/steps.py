"""Steps as the training loop takes them between two logged ones: a batch, an update, the meter."""

from collections.abc import Callable
from itertools import count
from typing import Any

import torch
from torch import Tensor

from core.config import schema as configuration
from core.data.augment.augmenter import augmenter
from core.data.dataset import Dataset
from core.data.sampling import training_order
from core.data.stream.batches import batches_of
from core.models.registry import build
from core.training.context import TrainingContext
from core.training.own.learner import learner_for

__all__ = ["unlogged_step"]


def unlogged_step(
    values: dict[str, Any], data: Dataset, device: torch.device, *, fused: bool = True
) -> Callable[[], Tensor]:
    """Return a call that takes the next step of the first epoch, and returns its loss.

    Args:
        values: the configuration.
        fused: whether the optimizer may use its fused kernels.
    """
    config = configuration.from_dict(values)
    network = build(config.model, data, seed=0).to(device)
    learner = learner_for(config, data, network, TrainingContext(device))
    if not fused:
        for group in learner.optimizer.param_groups:
            group["fused"] = None
        learner.step = learner.build_step()
    learner.train()
    meter, numbers, order = learner.meter(), count(), training_order(config.training, data, 0)
    batches = batches_of(data.train, data, device).iterate(
        config.training.step_samples,
        order,
        augment=augmenter(config.data, data, config.loss, 0)(0),
        draws=(0, 0),
    )
    steps = config.training.steps_per_epoch(len(data.train))

    def step() -> Tensor:
        batch = next(batches)
        learner.set_learning_rate(next(numbers), steps, {})
        loss, outputs = learner.step(batch)
        meter.add(loss, learner.answers(outputs), batch)
        return loss

    return step
