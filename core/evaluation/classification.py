"""Metrics of predicted classes, all from one confusion matrix.

A confusion matrix here is int64 (classes, classes): rows are true classes, columns predicted ones.
The formulas are those of scikit-learn's user guide, "Metrics and scoring", section classification metrics.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.evaluation.values import Array, Floats, Integers, ratio

ROWS_PER_BLOCK = 1 << 16


def row_blocks(n: int) -> Iterator[slice]:
    """Slices that cover ``n`` rows in blocks small enough for temporary arrays to stay in cache."""
    return (slice(start, start + ROWS_PER_BLOCK) for start in range(0, n, ROWS_PER_BLOCK))


def predicted_classes(scores: Array, thresholds: Array | None = None) -> Integers:
    """Return the class with the highest score (n, classes), int64 (n,); of equal ones the first, of two the second.

    So of two classes a probability of exactly 0.5 counts as the positive one, as it does at a threshold of 0.5.

    Args:
        thresholds: (1,), of two classes the score from which on class 1 is predicted, whichever is higher.
    """
    if thresholds is not None:
        return (scores[:, 1] >= thresholds).astype(np.int64)
    if scores.shape[1] == 2:
        return (scores[:, 1] >= scores[:, 0]).astype(np.int64)
    found: Integers = np.argmax(scores, axis=1)
    return found


def confusion_matrix(predicted: Integers, targets: Integers, classes: int) -> Integers:
    """Count the samples of each true class (row) and predicted class (column): int64 (classes, classes).

    ``predicted`` and ``targets`` are class numbers (n,) from 0 to ``classes - 1``.
    """
    cells = np.bincount(targets * classes + predicted, minlength=classes * classes)
    return cells.reshape(classes, classes)


def weighted_matrix(predicted: Integers, targets: Integers, classes: int, weights: Floats) -> Floats:
    """Return the confusion matrix with sums of weights (n,) in place of counts: float64 (classes, classes)."""
    cells = np.bincount(targets * classes + predicted, weights=weights, minlength=classes * classes)
    return cells.astype(np.float64).reshape(classes, classes)


def normalise(matrix: Integers, by: Literal["row", "column", "total"]) -> Floats:
    """Shares from 0 to 1 instead of counts, NaN in a row or column without samples.

    ``row`` puts recall on the diagonal, ``column`` precision, ``total`` the share of all samples.
    """
    if by == "total":
        return ratio(matrix, matrix.sum())
    return ratio(matrix, matrix.sum(axis=1 if by == "row" else 0, keepdims=True))


@dataclass(frozen=True)
class ClassCounts:
    """Counts of each class; arrays (..., classes), so that many resamples are handled at once.

    ``hits``: samples of the class predicted as it; ``support``: samples of the class;
    ``predicted``: samples predicted as the class.
    """

    hits: Array
    support: Array
    predicted: Array

    @classmethod
    def of(cls, matrix: Array) -> "ClassCounts":
        """The counts of one confusion matrix, or sums of weights."""
        return cls(np.diagonal(matrix), matrix.sum(axis=1), matrix.sum(axis=0))

    @property
    def precision(self) -> Floats:
        """Share of the samples predicted as a class that are of it; NaN if it is never predicted."""
        return ratio(self.hits, self.predicted)

    @property
    def recall(self) -> Floats:
        """Share of the samples of a class that are found; NaN if there are none."""
        return ratio(self.hits, self.support)

    @property
    def f1(self) -> Floats:
        """Harmonic mean of precision and recall; NaN if the class neither occurs nor is predicted."""
        return ratio(2 * np.asarray(self.hits, dtype=np.float64), self.support + self.predicted)


def averages(counts: ClassCounts) -> dict[str, Floats]:
    """Every averaged metric, each of the leading shape of ``counts``; NaN where undefined.

    Macro means go over the classes for which the metric is defined. With one label a sample, micro precision,
    recall and F1 are the accuracy.
    """
    n = counts.support.sum(axis=-1)
    accuracy = ratio(counts.hits.sum(axis=-1), n)
    metrics = {
        "accuracy": accuracy,
        "balanced_accuracy": _mean_of_defined(counts.recall),
        "mcc": matthews_correlation(counts),
        "cohen_kappa": cohen_kappa(counts),
    }
    for name, values in (("precision", counts.precision), ("recall", counts.recall), ("f1", counts.f1)):
        metrics[f"{name}_macro"] = _mean_of_defined(values)
        metrics[f"{name}_micro"] = accuracy
        metrics[f"{name}_weighted"] = ratio(np.nansum(values * counts.support, axis=-1), n)
    return metrics


def matthews_correlation(counts: ClassCounts) -> Floats:
    """Matthews correlation from -1 to 1 (Gorodkin 2004); NaN if all targets or predictions are one class."""
    support, predicted = _as_floats(counts)
    n = support.sum(axis=-1)
    covariance = counts.hits.sum(axis=-1) * n - (support * predicted).sum(axis=-1)
    spread_true = n**2 - (support**2).sum(axis=-1)
    spread_predicted = n**2 - (predicted**2).sum(axis=-1)
    return ratio(covariance, np.sqrt(spread_true.clip(0)) * np.sqrt(spread_predicted.clip(0)))


def cohen_kappa(counts: ClassCounts) -> Floats:
    """Agreement beyond chance, at most 1 (Cohen 1960); NaN if targets and predictions are all one class."""
    support, predicted = _as_floats(counts)
    n = support.sum(axis=-1)
    by_chance = (support * predicted).sum(axis=-1)
    return ratio(counts.hits.sum(axis=-1) * n - by_chance, n**2 - by_chance)


def log_losses(scores: Array, targets: Array) -> Floats:
    """Negative natural logarithm of the probability given to the true class: (n,) in nats.

    Of shares of the classes (n, classes) in place of ``targets`` (n,) it is their cross-entropy, the mean over classes.

    ``scores`` are probabilities (n, classes). Only 0 is replaced, by the smallest number of its type, so the largest
    loss is 87 for float32 and 708 for float64; scikit-learn replaces all below one machine epsilon: 15.9 and 36.0.
    """
    if targets.ndim == 2:
        logs = np.log(np.clip(scores, np.finfo(scores.dtype).tiny, 1), dtype=np.float64)
        crossed: Floats = -(targets * logs).sum(axis=1)
        return crossed
    given = np.take_along_axis(scores, targets[:, None], axis=1)[:, 0]
    losses: Floats = -np.log(np.clip(given, np.finfo(scores.dtype).tiny, 1), dtype=np.float64)
    return losses


def top_k_hits(scores: Array, targets: Integers, k: int) -> NDArray[np.bool_]:
    """(n,): True for samples whose true class is among the ``k`` highest scores.

    Of equal scores the earlier class wins, as in the class that is predicted.
    """
    hits = np.zeros(len(scores), dtype=np.bool_)
    order = np.arange(scores.shape[1])
    for rows in row_blocks(len(scores)):
        block, true = scores[rows], targets[rows, None]
        given = np.take_along_axis(block, true, axis=1)
        ahead = np.count_nonzero(block > given, axis=1)
        equal = np.count_nonzero(block == given, axis=1)
        tied = np.flatnonzero(equal > 1)
        ahead[tied] += np.count_nonzero((block[tied] == given[tied]) & (order < true[tied]), axis=1)
        hits[rows] = ahead < k
    return hits


def _mean_of_defined(values: Floats) -> Floats:
    return ratio(np.nansum(values, axis=-1), np.count_nonzero(~np.isnan(values), axis=-1))


def _as_floats(counts: ClassCounts) -> tuple[Floats, Floats]:
    return counts.support.astype(np.float64), counts.predicted.astype(np.float64)
