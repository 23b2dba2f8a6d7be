"""Weights of classes in a loss."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from core.losses.base import LossFunction

__all__ = ["balanced_weights", "by_class", "scaled_weights", "smoothed"]


def balanced_weights(class_counts: Sequence[float]) -> list[float]:
    """Return samples / (classes x samples of the class), as scikit-learn's ``class_weight="balanced"``.

    Their mean over all training samples is 1. Classes without training samples do not count, and weigh 1.
    """
    present = sum(count > 0 for count in class_counts)
    return [sum(class_counts) / (present * count) if count else 1.0 for count in class_counts]


def scaled_weights(weights: Sequence[float], class_counts: Sequence[float]) -> list[float]:
    """Return given weights of classes times a factor: their mean over all training samples becomes 1.

    So weights say how classes compare, and the learning rate keeps its meaning. Without training samples of the
    classes that have a weight they stay as they are.
    """
    total = sum(weight * count for weight, count in zip(weights, class_counts, strict=True))
    factor = sum(class_counts) / total if total else 1.0
    return [factor * weight for weight in weights]


def by_class(losses: "LossFunction", weights: Sequence[float]) -> "LossFunction":
    """Return losses of samples (batch,), each times the weight of its class.

    Their sum is divided by the number of samples, not by the sum of the weights of their classes, so that the mean
    over batches is that over all samples however they are cut into batches.
    """

    on = _on_device(weights)

    def by_class(outputs: "Tensor", targets: "Tensor") -> "Tensor":
        each, known = losses(outputs, targets), on(outputs.device)
        return each * (known[targets] if targets.ndim == 1 else targets @ known)

    return by_class


def smoothed(label_smoothing: float, weights: Sequence[float]) -> "LossFunction":
    """Return cross-entropy with smoothed labels and weights: each class's part of the target has the class's weight.

    As PyTorch's ``CrossEntropyLoss(weight, label_smoothing, reduction="none")``.
    """
    on = _on_device(weights)

    def smoothed(outputs: "Tensor", targets: "Tensor") -> "Tensor":
        from torch.nn.functional import cross_entropy

        known = on(outputs.device).to(outputs.dtype)
        return cross_entropy(outputs, targets, known, label_smoothing=label_smoothing, reduction="none")

    return smoothed


def _on_device(weights: Sequence[float]) -> "Callable[[torch.device], Tensor]":
    """Return a function that gives the weights as a tensor on a device, made once for each."""

    @cache
    def on(device: "torch.device") -> "Tensor":
        import torch

        return torch.tensor(weights, device=device)

    return on
