"""The learning-rate range test: train with a rate that grows from step to step, and see where the loss falls fastest.

L. N. Smith, Cyclical Learning Rates for Training Neural Networks, 2017, section 3.3. It trains a copy: neither the
model nor the random state changes.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import count

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from core.config.schema import TrainConfig
from core.data.augment.augmenter import augmenter
from core.data.batches import Batch
from core.data.dataset import Dataset
from core.data.sampling import training_order
from core.data.stream.batches import batches_of
from core.errors import ConfigError
from core.models.copies import copied
from core.optimizers.several import SeveralOptimizers
from core.random_state import keeping_random_state
from core.training.context import TrainingContext
from core.training.own.learner import learner_for

__all__ = ["RangeTest", "range_test"]

LOWEST, HIGHEST, STEPS = 1e-6, 10.0, 120
BLOWN_UP = 4.0
"""The test ends at this many times the lowest running mean of the loss."""
KEPT = 0.9
"""Fraction of the running mean kept from step to step."""
SPREAD = 0.03
"""Standard deviation of the Gaussian that smooths the losses, as a fraction of all steps."""
EDGE = 3
"""Steps at either end whose slope is not trusted."""
CEILING = 1.1
"""Losses are clipped at this many times the largest loss of the first steps."""
WORTHWHILE = 0.02
"""Smallest relative fall of the loss that gives a suggestion."""


@dataclass(frozen=True)
class RangeTest:
    """Losses of a range test.

    Attributes:
        rates: of each step, ascending.
        losses: mean of the batch before that step.
        blew_up: true if the last loss was not finite or many times the lowest one; otherwise all rates were tried.
    """

    rates: list[float]
    losses: list[float]
    blew_up: bool

    @cached_property
    def smoothed(self) -> NDArray[np.float64]:
        """Losses after a symmetric Gaussian filter over the steps.

        Losses far above the first ones are clipped: one that blows up would hide the fall before it.
        """
        losses = np.array(self.losses)
        if len(losses):
            losses = np.minimum(losses, CEILING * losses[: EDGE + 1].max())
        places = np.arange(len(self.losses))
        deviation = max(1.0, SPREAD * STEPS)
        weights = np.exp(-0.5 * ((places[:, None] - places) / deviation) ** 2)
        smoothed: NDArray[np.float64] = weights @ losses / weights.sum(axis=1)
        return smoothed

    @cached_property
    def lowest(self) -> int:
        """Step of the lowest smoothed loss."""
        return int(np.argmin(self.smoothed)) if self.losses else 0

    @cached_property
    def suggestion(self) -> float | None:
        """Rate at which the smoothed loss falls fastest over the logarithm of the rate; None if it never falls."""
        if self.lowest <= EDGE:
            return None
        loss = self.smoothed
        if not loss[0] - loss[self.lowest] > WORTHWHILE * abs(loss[0]):
            return None
        slope = np.gradient(loss, np.log(self.rates))
        steepest = EDGE + int(np.argmin(slope[EDGE : self.lowest + 1]))
        return float(f"{self.rates[steepest]:.2g}")

    @cached_property
    def bolder(self) -> float | None:
        """A tenth of the rate with the lowest smoothed loss (Howard and Gugger, "fastai", 2020).

        None where there is no suggestion, or where it is not lower.
        """
        if self.suggestion is None:
            return None
        rate = float(f"{self.rates[self.lowest] / 10:.2g}")
        return rate if rate > self.suggestion else None


def range_test(
    config: TrainConfig,
    data: Dataset,
    model: nn.Module,
    device: torch.device,
    *,
    on_report: Callable[[float, float], None],
    should_stop: Callable[[], bool],
) -> RangeTest | None:
    """Train a copy of `model` for some steps, each with a larger learning rate than the one before.

    Args:
        config: what to train and how; its schedule and number of epochs are ignored.
        on_report: takes each rate and its loss, at once.
        should_stop: polled before each step; returns None once it is true.

    Raises:
        ConfigError: the optimizer chooses the length of each step itself, or the network has several of its own.
    """
    if config.optimizer.closure:
        raise ConfigError(
            f"optimizer.name: {config.optimizer.name} finds its step size by line search",
            "Choose another optimizer for a range test",
            field="optimizer.name",
        )
    with keeping_random_state(device):
        learner = learner_for(config, data, copied(model).to(device), TrainingContext(device))
        if isinstance(learner.optimizer, SeveralOptimizers):
            raise ConfigError(
                "a range test moves one learning rate, and the network's configure_optimizers gives several optimizers",
                "Search their rates as arguments of the network, such as model.arguments.lr",
            )
        learner.model.train()
        rates: list[float] = []
        losses: list[float] = []
        running, lowest = 0.0, math.inf
        for step, batch in zip(range(STEPS), _endless(config, data, device), strict=False):
            if should_stop():
                return None
            rate = LOWEST * (HIGHEST / LOWEST) ** (step / (STEPS - 1))
            for group, own in zip(learner.optimizer.param_groups, learner.rates, strict=True):
                group["lr"] = rate * own / learner.rates[0]
            loss = learner.step(batch)[0].item()
            if not math.isfinite(loss):
                return RangeTest(rates, losses, blew_up=True)
            rates.append(rate)
            losses.append(loss)
            on_report(rate, loss)
            running = KEPT * running + (1 - KEPT) * loss
            mean = running / (1 - KEPT ** (step + 1))
            lowest = min(lowest, mean)
            if mean > BLOWN_UP * lowest:
                return RangeTest(rates, losses, blew_up=True)
        return RangeTest(rates, losses, blew_up=False)


def _endless(config: TrainConfig, data: Dataset, device: torch.device) -> Iterator[Batch]:
    """Yield the batches of a run that does not end."""
    batches = batches_of(data.train, data, device)
    augment = augmenter(config.data, data, config.loss, config.training.seed)
    for epoch in count():
        order = training_order(config.training, data, epoch)
        yield from batches.iterate(
            config.training.step_samples, order, augment=augment(epoch), draws=(config.training.seed, epoch)
        )
