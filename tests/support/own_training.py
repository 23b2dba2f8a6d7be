"""A loss, an optimizer and schedules as a user would write them, for tests."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import LBFGS, Optimizer
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR, ReduceLROnPlateau

__all__ = [
    "LBFGS",
    "Heavy",
    "OneCycleLR",
    "Opt",
    "ReduceLROnPlateau",
    "Sched",
    "Smooth",
    "falling",
    "huber_of_classes",
]


def huber_of_classes(outputs: Tensor, targets: Tensor, delta: float = 1.0) -> Tensor:
    """Loss of each sample: Huber's, of classes against one-hot targets."""
    if targets.shape != outputs.shape:
        targets = nn.functional.one_hot(targets, outputs.shape[1]).to(outputs.dtype)
    return nn.functional.huber_loss(outputs, targets, reduction="none", delta=delta).mean(dim=1)


class Heavy(nn.Module):
    """Cross-entropy with a temperature that is trained along, and a buffer that counts what it has seen."""

    seen: Tensor

    def __init__(self, num_classes: int, start: float = 1.0) -> None:
        super().__init__()
        self.temperature = nn.Parameter(torch.full((num_classes,), start) + 0.01 * torch.randn(num_classes))
        self.register_buffer("seen", torch.zeros(num_classes))

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of each sample."""
        if self.training:
            self.seen += torch.bincount(targets, minlength=len(self.seen))
        return nn.functional.cross_entropy(outputs * self.temperature, targets, reduction="none")

    def scores(self, outputs: Tensor) -> Tensor:
        """Return probabilities."""
        return (outputs * self.temperature).softmax(dim=1)


class Smooth:
    """Cross-entropy with smoothed labels, one number for a batch."""

    def __init__(self, smoothing: float = 0.1) -> None:
        self.smoothing = smoothing

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss."""
        return nn.functional.cross_entropy(outputs, targets, label_smoothing=self.smoothing)


class Opt(Optimizer):
    """Lion: steps along the sign of a running mean (Chen et al. 2023)."""

    def __init__(self, params: Any, lr: float = 1e-3, beta1: float = 0.9, beta2: float = 0.99) -> None:
        super().__init__(params, {"lr": lr, "beta1": beta1, "beta2": beta2})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]  # gives no loss
        """Move the weights."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                mean = self.state[weight].setdefault("mean", torch.zeros_like(weight))
                direction = mean.lerp(weight.grad, 1 - group["beta1"]).sign()
                weight.add_(direction, alpha=-group["lr"])
                mean.lerp_(weight.grad, 1 - group["beta2"])


class Sched(LRScheduler):
    """Learning rates that fall by a factor and swing a little."""

    def __init__(self, optimizer: Optimizer, gamma: float = 0.9, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float | Tensor]:
        """Return the learning rate of each group."""
        factor = self.gamma**self.last_epoch * (1 + 0.1 * math.sin(self.last_epoch))
        return [base * factor for base in self.base_lrs]


def falling(step: int, steps: int, power: float = 0.5) -> float:
    """Return a factor that falls to 0."""
    return float((1 - step / steps) ** power)
