"""Metrics of samples that count differently: what sums over samples becomes a sum of their weights.

The formulas are those of scikit-learn with ``sample_weight``.
"""

import numpy as np
from numpy.typing import NDArray

from core.evaluation.curves import NO_NEGATIVES, NO_POSITIVES, Areas
from core.evaluation.values import Array, Floats, Integers

__all__ = ["effective_size", "mean_of", "weighted_areas", "weighted_areas_of_classes"]


ROUNDING = 1e-12


def mean_of(values: Array, weights: Floats | None) -> float:
    """Return the mean of values (n,), by weights (n,) if there are any."""
    return float(values.mean()) if weights is None else float(np.average(values, weights=weights))


def effective_size(weights: Floats) -> float:
    """Return how many samples of equal weight would tell as much: (sum w)^2 / sum w^2 (Kish 1965)."""
    return float(weights.sum() ** 2 / (weights @ weights))


def weighted_areas(scores: Array, positive: NDArray[np.bool_], weights: Floats) -> Areas:
    """Return ROC AUC and average precision of one class; all arguments are (n,). See `core.evaluation.curves.areas`."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    of_positives = np.where(positive, weights, 0.0)
    tp = np.cumsum(of_positives[order])[ends]
    fp = np.cumsum((weights - of_positives)[order])[ends]
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
