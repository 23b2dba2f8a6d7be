"""Labels that stand together, and the samples whose labels are wrong."""

from dataclasses import dataclass

import numpy as np

from core.evaluation.multilabel.values import Truths
from core.evaluation.predictions import Predictions
from core.evaluation.values import Floats, Integers

__all__ = ["LabelAnswers", "answers_to", "by_mistakes", "mistakes_of_label", "together", "wrong_labels"]


def together(rows: Truths, columns: Truths) -> Integers:
    """Count the samples that have label i in `rows` and label j in `columns`, both (n, labels): (labels, labels)."""
    counts: Floats = rows.astype(np.float64).T @ columns.astype(np.float64)
    return counts.astype(np.int64)


def wrong_labels(predictions: Predictions) -> Truths:
    """Return which labels are missed or given wrongly, (n, labels)."""
    wrong: Truths = predictions.predicted != predictions.targets
    return wrong


def by_mistakes(predictions: Predictions, k: int) -> Integers:
    """Return positions of at most `k` samples with wrong labels: most of them first, then the surest ones."""
    wrong = wrong_labels(predictions)
    number = wrong.sum(axis=1)
    sure = np.where(wrong, _distance(predictions), -np.inf).max(axis=1, initial=-np.inf)
    order = np.lexsort((-sure, -number))
    return order[: min(k, int(np.count_nonzero(number)))]


def mistakes_of_label(predictions: Predictions, label: int, k: int) -> Integers:
    """Return positions of at most `k` samples where one label is wrong, the score furthest off its threshold first."""
    wrong = np.flatnonzero(wrong_labels(predictions)[:, label])
    far = _distance(predictions)[wrong, label]
    return wrong[np.argsort(-far, kind="stable")[:k]]


@dataclass(frozen=True)
class LabelAnswers:
    """Numbers of the labels of one sample: those that are hit, missed, and given wrongly."""

    hit: list[int]
    missed: list[int]
    wrong: list[int]

    @property
    def is_right(self) -> bool:
        """Return whether all labels are right."""
        return not self.missed and not self.wrong


def answers_to(predictions: Predictions, position: int) -> LabelAnswers:
    """Return the labels of a sample, told apart by what was predicted."""
    true, given = predictions.targets[position] == 1, predictions.predicted[position] == 1
    hit, missed, wrong = (
        np.flatnonzero(part).tolist() for part in (true & given, true & ~given, given & ~true)
    )
    return LabelAnswers(hit, missed, wrong)


def _distance(predictions: Predictions) -> Floats:
    """Return how far each score lies from the threshold of its label, (n, labels)."""
    distance: Floats = np.abs(predictions.scores - predictions.used_thresholds)
    return distance
