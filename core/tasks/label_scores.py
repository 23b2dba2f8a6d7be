"""Micro F1 of outputs of labels, where an output above 0 gives its label."""

from collections.abc import Sequence

import torch
from torch import Tensor

from core.tasks.base import Counted
from core.tasks.tallies import MAX_CLASSES, AddUp

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
    """Micro F1 of all samples and labels, NaN where there is no label and none is given; the counts of each label."""

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._found: list[Tensor] = []
        self._of_labels: list[Tensor] = []

    def add(self, scores: Tensor, targets: Tensor, weights: Tensor | None) -> None:
        weight = torch.ones(len(targets), device=targets.device) if weights is None else weights
        given, truth = scores > self._threshold, targets > 0
        self._found.append(torch.stack(_counts(given, targets, weight.double())))
        self._of_labels.append(torch.stack([each.sum(dim=0) for each in (given & truth, truth, given)]))

    def read(
        self, targets: Tensor, weights: Tensor | None, classes: int, sums: AddUp
    ) -> tuple[float, Counted]:
        counts = torch.stack(self._found).sum(dim=0).tolist() if self._found else [0.0, 0.0]
        hits, labels = sums(counts)
        score = 2 * hits / labels if labels else float("nan")
        if classes > MAX_CLASSES:
            return score, Counted()
        of_labels = torch.stack(self._of_labels).sum(dim=0) if self._of_labels else torch.zeros(3, classes)
        summed = [int(each) for each in sums(of_labels.flatten().tolist())]
        return score, Counted(
            class_counts=[summed[at : at + classes] for at in range(0, 3 * classes, classes)]
        )
