"""Influence of each sample on a metric.

The influence of a sample is ``n`` times the derivative of the metric with respect to the weight of that
sample, so the metric of a resample is, to first order, the metric plus the mean influence of the samples
drawn. Influences (n,) have mean zero. For means this is exact. For ROC AUC it gives the variance of DeLong,
DeLong and Clarke-Pearson (1988); see LeDell, Petersen and van der Laan, "Computationally efficient confidence
intervals for cross-validated area under the ROC curve estimates" (2015).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.evaluation.values import Array, Floats, Integers, members_of
from core.evaluation.weighted import cumulated

MAX_ROWS = 20_000
MAX_CELLS = 5_000_000


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows that stand for a whole split: positions (m,), and how many samples each stands for (m,)."""

    rows: Integers
    weights: Floats


def sample_rows(targets: Integers, classes: int, rng: np.random.Generator) -> Sample:
    """Every row of a small split; of a large one equally many of each class, or all that it has."""
    wanted = min(MAX_ROWS, max(MAX_CELLS // classes, MAX_ROWS // 10))
    if len(targets) <= wanted:
        return Sample(np.arange(len(targets)), np.ones(len(targets)))
    members = members_of(targets, classes)
    support = [len(part) for part in members]
    share = max(wanted // int(np.count_nonzero(support)), 2)
    rows = [part if len(part) <= share else rng.choice(part, share, replace=False) for part in members]
    weights = [np.full(len(part), size / max(len(part), 1)) for part, size in zip(rows, support, strict=True)]
    return Sample(np.concatenate(rows), np.concatenate(weights))


def area_influence(scores: Array, positive: NDArray[np.bool_], weights: Floats) -> tuple[Floats, Floats]:
    """Influences (m,) on ROC AUC and on average precision of one class against the rest.

    All arrays are (m,). Zeros where all positives, or all negatives, weigh nothing: the areas are undefined.
    """
    thresholds, tp, fp = cumulated(scores, positive, weights)
    place = np.searchsorted(-thresholds, -scores)
    positives_here, negatives_here = np.diff(tp, prepend=0.0), np.diff(fp, prepend=0.0)
    positives, negatives, n = tp[-1], fp[-1], tp[-1] + fp[-1]
    if not positives or not negatives:
        return np.zeros(len(scores)), np.zeros(len(scores))

    negatives_below = (negatives - fp + negatives_here / 2) / negatives
    positives_above = (tp - positives_here / 2) / positives
    auc = (positives_here * negatives_below).sum() / positives
    on_auc = np.where(
        positive,
        ((negatives_below - auc) * n / positives)[place],
        ((positives_above - auc) * n / negatives)[place],
    )

    flagged = np.where(tp + fp > 0, tp + fp, 1.0)  # the highest scores may be of samples that weigh nothing
    precision = tp / flagged
    average = (positives_here * precision).sum() / positives
    gain = _sum_from_here_on(positives_here / flagged)
    loss = _sum_from_here_on(positives_here * precision / flagged)
    of_positive = (precision - average + gain - loss) * n / positives
    on_average = np.where(positive, of_positive[place], (-loss * n / positives)[place])
    return on_auc, on_average


def area_errors(scores: Array, targets: Integers, weights: Floats) -> Floats:
    """Return the standard errors of ROC AUC and average precision of each class: (2, classes), NaN where undefined.

    ``scores`` (m, classes), ``targets`` (m,), ``weights`` (m,).
    """
    errors = np.full((2, scores.shape[1]), np.nan)
    for label in range(scores.shape[1]):
        positive = targets == label
        if positive.any() and not positive.all():
            influences = area_influence(scores[:, label], positive, weights)
            errors[:, label] = [standard_error(influence, weights) for influence in influences]
    return errors


def pooled_area_influence(scores: Array, targets: Integers, weights: Floats) -> tuple[Floats, Floats]:
    """Influences (m,) on ROC AUC and average precision of all (sample, class) pairs pooled (micro)."""
    is_true = targets[:, None] == np.arange(scores.shape[1])
    pooled = area_influence(scores.ravel(), is_true.ravel(), np.repeat(weights, scores.shape[1]))
    on_auc, on_average = (influence.reshape(scores.shape).mean(axis=1) for influence in pooled)
    return on_auc, on_average


def standard_error(influence: Floats, weights: Floats) -> float:
    """Return the standard error of a metric from the influences on it."""
    # A matrix product of so few numbers would wake the threads of BLAS, which takes longer than the sum.
    return float(np.sqrt((weights * influence**2).sum()) / weights.sum())


def centred(values: Floats, weights: Floats) -> Floats:
    """Influences (m,) of samples on the mean of ``values``: their distance from it."""
    return values - np.average(values, weights=weights)


def _sum_from_here_on(values: Floats) -> Floats:
    return np.cumsum(values[::-1])[::-1]
