"""Metrics of samples that count differently: what sums over samples becomes a sum of their weights.

The formulas are those of scikit-learn with ``sample_weight``.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.evaluation.curves import NO_NEGATIVES, NO_POSITIVES, Areas, RankedCounts, one_vs_rest
from core.evaluation.values import Array, Floats, Integers, Undefined

__all__ = [
    "WeightedCounts",
    "cumulated",
    "effective_size",
    "mean_of",
    "pooled_chance",
    "ranked_counts",
    "weighted_areas",
    "weighted_areas_of_classes",
]


ROUNDING = 1e-12


def mean_of(values: Array, weights: Floats | None) -> float:
    """Return the mean of values (n,), by weights (n,) if there are any."""
    return float(values.mean()) if weights is None else float(np.average(values, weights=weights))


def effective_size(weights: Floats) -> float:
    """Return how many samples of equal weight would tell as much: (sum w)^2 / sum w^2 (Kish 1965)."""
    shares = weights / weights.max()  # squares of these are numbers, whatever the unit of the weights
    return float(shares.sum() ** 2 / (shares @ shares))


@dataclass(frozen=True, eq=False)
class WeightedCounts(RankedCounts):
    """One class against the rest, where each sample counts by its weight: counts are sums of weights, float64.

    Args:
        negative_scores: (negatives,) ascending scores of the other samples.
        positive_sums, negative_sums: (positives + 1,) and (negatives + 1,), the weight from each place on.
    """

    negative_scores: Array
    positive_sums: Floats
    negative_sums: Floats

    @property
    def positives(self) -> float:  # type: ignore[override]  # a sum of weights
        return float(self.positive_sums[0])

    @property
    def negatives(self) -> float:  # type: ignore[override]  # a sum of weights
        return float(self.negative_sums[0])

    def counts(self, thresholds: Array) -> tuple[Floats, Floats]:  # type: ignore[override]  # sums of weights
        return (
            self.positive_sums[np.searchsorted(self.positive_scores, thresholds, side="left")],
            self.negative_sums[np.searchsorted(self.negative_scores, thresholds, side="left")],
        )


def ranked_counts(scores: Array, positive: NDArray[np.bool_], weights: Floats | None) -> RankedCounts:
    """Rank the scores of one class; all arguments are (n,). Without weights all samples count alike."""
    if weights is None:
        return one_vs_rest(scores, positive)
    counted = weights > 0
    scores, positive, weights = scores[counted], positive[counted], weights[counted]
    (positives, own), (negatives, other) = (
        _sums_from(scores[of], weights[of].astype(np.float64)) for of in (positive, ~positive)
    )
    return WeightedCounts(np.sort(scores), positives, negatives, own, other)


def _sums_from(scores: Array, weights: Floats) -> tuple[Array, Floats]:
    """Return scores in ascending order, and the sum of the weights from each place on, 0 behind the last."""
    order = np.argsort(scores, kind="stable")
    return scores[order], np.append(np.cumsum(weights[order][::-1])[::-1], 0.0)


def cumulated(scores: Array, positive: NDArray[np.bool_], weights: Floats) -> tuple[Array, Floats, Floats]:
    """Return the distinct scores (k,), descending, and the weight of both classes with at least each of them.

    All arguments are (n,). Its positives and negatives are the true and false positives of these thresholds.
    """
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    last = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), len(ranked) - 1)
    of_positives = np.where(positive, weights, 0.0)
    tp, fp = (np.cumsum(each[order])[last] for each in (of_positives, weights - of_positives))
    return ranked[last], tp, fp


def weighted_areas(scores: Array, positive: NDArray[np.bool_], weights: Floats) -> Areas:
    """Return ROC AUC and average precision of one class; all arguments are (n,). See `core.evaluation.curves.areas`."""
    _, tp, fp = cumulated(scores, positive, weights)
    if not tp[-1]:
        return NO_POSITIVES, NO_POSITIVES
    rises = np.diff(tp, prepend=0.0) / tp[-1]
    precision = tp / np.where(tp + fp > 0, tp + fp, 1.0)
    found = float(rises @ precision)
    if not fp[-1]:
        return NO_NEGATIVES, _share(found)
    heights = np.append(0.0, tp)
    auc = float(np.diff(fp, prepend=0.0) @ (heights[1:] + heights[:-1]) / (2 * tp[-1] * fp[-1]))
    return _share(auc), _share(found)


def pooled_chance(support: Array, n: float) -> tuple[float, float]:
    """Return the pooled (micro) ROC AUC and average precision of scoring each class with its frequency; NaN where none.

    They are above 0.5, and above the mean frequency, where classes are uneven: a model that knows no more reaches them.

    Args:
        support: samples of each class or label (classes,), or sums of their weights.
        n: all samples, or the sum of their weights.
    """
    frequency = np.repeat(support / n, 2)
    pairs = np.stack([support, n - support], axis=1).ravel()
    is_positive = np.tile([True, False], len(support))
    found = weighted_areas(frequency, is_positive, pairs.astype(np.float64))
    auc, precision = (np.nan if isinstance(area, Undefined) else area for area in found)
    return auc, precision


def _share(value: float) -> float:
    """The value, 1 where only the rounding of sums of weights keeps it from being that."""
    return 1.0 if value > 1 - ROUNDING else value


def weighted_areas_of_classes(scores: Array, targets: Integers, weights: Floats) -> tuple[list[Areas], Areas]:
    """Return the areas of each class against the rest, and of all (sample, class) pairs pooled (micro).

    Args:
        scores: (n, classes). targets, weights: (n,).
    """
    classes = scores.shape[1]
    single = [weighted_areas(scores[:, label], targets == label, weights) for label in range(classes)]
    pairs = targets[:, None] == np.arange(classes)
    pooled = weighted_areas(scores.reshape(-1), pairs.reshape(-1), np.repeat(weights, classes))
    return single, pooled
