"""Answers of one pass over validation, read off the device at its end."""

from collections.abc import Callable

import torch
from torch import Tensor

from core.arrays import IGNORED
from core.tasks.base import Counted
from core.tasks.classes import likeliest
from core.tasks.joined import Joined

__all__ = ["MAX_CLASSES", "ClassTally", "NumberTally", "PixelTally", "answers_of"]

MAX_CLASSES = 100
"""Largest number of classes whose confusions are counted after each epoch."""

AddUp = Callable[[list[float]], list[float]]


def answers_of(scores: Tensor) -> Tensor:
    """Return the class with the highest score, int64 (n,), of equal ones as `core.evaluation` has them."""
    return (scores[:, 1] >= scores[:, 0]).long() if scores.shape[1] == 2 else scores.argmax(dim=1)


class _Answers:
    """Answers to the samples of a split, beside the targets."""

    def __init__(self) -> None:
        self._answers, self._targets, self._weights = Joined(), Joined(), Joined()

    def add(self, scores: Tensor, targets: Tensor, weights: Tensor | None) -> None:
        self._answers.add(self._answer(scores))
        self._targets.add(targets)
        if weights is not None:
            self._weights.add(weights)

    def _answer(self, scores: Tensor) -> Tensor:
        return scores

    def _joined(self, targets: Tensor, weights: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
        """Return answers, targets and float64 weights of this process, which may have none.

        Args:
            targets, weights: of the whole split.
        """
        nothing = targets[:0]
        known = None if weights is None else self._weights.whole(weights[:0]).double()
        return self._answers.whole(nothing), self._targets.whole(nothing), known


class ClassTally(_Answers):
    """Accuracy and confusion matrix; soft labels count as the class with the largest share."""

    def add(self, scores: Tensor, targets: Tensor, weights: Tensor | None) -> None:
        super().add(scores, likeliest(targets), weights)

    def _answer(self, scores: Tensor) -> Tensor:
        return answers_of(scores)

    def read(
        self, targets: Tensor, weights: Tensor | None, classes: int, sums: AddUp
    ) -> tuple[float, Counted]:
        answers, wanted, known = self._joined(likeliest(targets), weights)
        total = len(targets) if weights is None else float(weights.double().sum())
        is_right = answers == wanted
        right = int(is_right.sum()) if known is None else float(known[is_right].sum())
        (right,) = sums([right])
        if classes > MAX_CLASSES:
            return right / total, Counted()
        counts = torch.bincount(wanted * classes + answers, minlength=classes * classes)
        summed = [int(count) for count in sums(counts.tolist())]
        rows = [summed[start : start + classes] for start in range(0, len(summed), classes)]
        return right / total, Counted(rows)


class NumberTally(_Answers):
    """R2, the mean over targets (n, k) of which each has a variance; NaN without any."""

    def read(
        self, targets: Tensor, weights: Tensor | None, classes: int, sums: AddUp
    ) -> tuple[float, Counted]:
        answers, wanted, known = self._joined(targets, weights)
        squares = (answers.cpu() - wanted.cpu().double()).square()
        numbers = targets.cpu().double()
        if known is None or weights is None:
            spread = (numbers - numbers.mean(dim=0)).square().sum(dim=0)
        else:
            squares = squares * known.cpu().unsqueeze(1)
            each = weights.cpu().double().unsqueeze(1)
            mean = (each * numbers).sum(dim=0) / each.sum()
            spread = (each * (numbers - mean).square()).sum(dim=0)
        residuals = torch.tensor(sums(squares.sum(dim=0).tolist()), dtype=torch.float64)
        varies = spread > 0
        return float((1 - residuals[varies] / spread[varies]).mean()), Counted()


class PixelTally:
    """Accuracy and confusion matrix of pixels, added up batch by batch: the answers alone would fill the memory."""

    def __init__(self) -> None:
        self._counts: list[Tensor] = []
        self._right: list[Tensor] = []

    def add(self, scores: Tensor, targets: Tensor, weights: Tensor | None) -> None:
        classes = scores.shape[1]
        known = targets != IGNORED
        answers = scores.argmax(dim=1)
        cells = torch.where(known, targets.long() * classes + answers, classes * classes)
        self._counts.append(torch.bincount(cells.flatten(), minlength=classes * classes + 1)[:-1])
        weight = 1.0 if weights is None else weights.double().view(-1, 1, 1)
        right = ((answers == targets) & known) * weight
        self._right.append(torch.stack([right.double().sum(), (known * weight).double().sum()]))

    def read(
        self, targets: Tensor, weights: Tensor | None, classes: int, sums: AddUp
    ) -> tuple[float, Counted]:
        counted = sum(each.cpu() for each in self._right) if self._right else torch.zeros(2)
        right, total = sums(torch.as_tensor(counted).tolist())
        accuracy = right / total if total else float("nan")
        if classes > MAX_CLASSES:
            return accuracy, Counted()
        found = sum(each.cpu() for each in self._counts) if self._counts else torch.zeros(classes * classes)
        summed = [int(count) for count in sums(torch.as_tensor(found).tolist())]
        return accuracy, Counted(
            [summed[start : start + classes] for start in range(0, len(summed), classes)]
        )
