"""Weights of classes in a loss."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from core.losses.base import LossFunction

__all__ = ["balanced_weights", "weighted"]


def balanced_weights(class_counts: Sequence[int]) -> list[float]:
    """Return samples / (classes x samples of the class), as scikit-learn's ``class_weight="balanced"``.

    Their mean over all training samples is 1. Classes without training samples do not count, and weigh 1.
    """
    present = sum(count > 0 for count in class_counts)
    return [sum(class_counts) / (present * count) if count else 1.0 for count in class_counts]


def weighted(losses: "LossFunction", weights: Sequence[float]) -> "LossFunction":
    """Return the mean of weight x loss over samples.

    The sum is divided by the number of samples, not by the sum of their weights, so that the mean over batches is
    that over all samples however they are cut into batches.
    """

    @cache
    def on(device: "torch.device") -> "Tensor":
        import torch

        return torch.tensor(weights, device=device)

    def weighted(outputs: "Tensor", targets: "Tensor") -> "Tensor":
        each, known = losses(outputs, targets), on(outputs.device)
        return (each * (known[targets] if targets.ndim == 1 else targets @ known)).mean()

    return weighted
