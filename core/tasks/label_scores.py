"""Micro F1 of outputs of labels, where an output above 0 gives its label."""

from collections.abc import Sequence

import torch
from torch import Tensor

from core.tasks.tallies import AddUp

__all__ = ["LabelTally", "weighted_f1"]


def weighted_f1(
    outputs: Sequence[Tensor], targets: Sequence[Tensor], weights: Sequence[Tensor]
) -> list[float]:
    """Return micro F1 of each step times its samples, or times the sum of their weights; waits for the device once.

    A step without labels, for which none is given, counts as right.
    """
    found = []
    for place, (each, wanted) in enumerate(zip(outputs, targets, strict=True)):
        weight = (
            weights[place].double() if weights else torch.ones(len(wanted), device=wanted.device).double()
        )
        hits, labels = _counts(each > 0, wanted, weight)
        f1 = torch.where(labels > 0, 2 * hits / labels.clamp(min=torch.finfo(labels.dtype).tiny), 1.0)
        found.append(f1 * weight.sum())
    scores: list[float] = torch.stack(found).tolist()
    return scores


def _counts(given: Tensor, wanted: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Return the labels that are hit, and the labels of both sides together."""
    truth = wanted > 0
    hits = (given & truth).sum(dim=1).double() @ weight
    both = (given.sum(dim=1) + truth.sum(dim=1)).double() @ weight
    return hits, both


class LabelTally:
    """Micro F1 of all samples and labels; NaN where there is no label and none is given."""

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._found: list[Tensor] = []

    def add(self, scores: Tensor, targets: Tensor, weights: Tensor | None) -> None:
        weight = torch.ones(len(targets), device=targets.device) if weights is None else weights
        self._found.append(torch.stack(_counts(scores > self._threshold, targets, weight.double())))

    def read(
        self, targets: Tensor, weights: Tensor | None, classes: int, sums: AddUp
    ) -> tuple[float, list[list[int]]]:
        counts = torch.stack(self._found).sum(dim=0).tolist() if self._found else [0.0, 0.0]
        hits, labels = sums(counts)
        return 2 * hits / labels if labels else float("nan"), []
