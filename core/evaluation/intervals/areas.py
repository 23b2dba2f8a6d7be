"""Intervals of areas under curves: ROC AUC and average precision."""

import numpy as np
from numpy.typing import NDArray

from core.evaluation.intervals import LEVELS, NORMAL_97_5, Interval
from core.evaluation.values import Array, Floats

__all__ = ["FEWEST_OF_CLASS", "area_intervals", "logit_intervals", "mean_of_classes", "precision_intervals"]

FEWEST_OF_CLASS = 5
"""Samples of a class, and of the rest, below which an area has no interval worth showing."""
BISECTIONS = 60
REPEATS = 2000


def area_intervals(areas: Array, positives: Array, negatives: Array) -> tuple[Floats, Floats]:
    """Return low and high ends of the intervals of ROC AUCs (any shape) of so many positives and negatives.

    Method 5 of Newcombe, "Confidence intervals for an effect size measure based on the Mann-Whitney statistic",
    part 2 (2006): the AUCs whose own standard error, after Hanley and McNeil, reaches the one found.
    An AUC of 1 has a low end below 1.
    """
    areas, positives, negatives = np.broadcast_arrays(
        *(np.asarray(values, dtype=np.float64) for values in (areas, positives, negatives))
    )
    spare, pairs = (positives + negatives) / 2 - 1, np.maximum(positives * negatives, 1)

    def beyond(true: Floats) -> NDArray[np.bool_]:
        variance = true * (1 - true) * (1 + spare * (1 - true) / (2 - true) + spare * true / (1 + true))
        outside: NDArray[np.bool_] = (areas - true) ** 2 > NORMAL_97_5**2 * variance / pairs
        return outside

    ends = []
    for outer in (0.0, 1.0):
        out, within = np.full(areas.shape, outer), areas.copy()
        for _ in range(BISECTIONS):
            middle = (out + within) / 2
            far = beyond(middle)
            out, within = np.where(far, middle, out), np.where(far, within, middle)
        ends.append(within)
    return ends[0], ends[1]


def precision_intervals(
    values: Array, errors: Array, positives: Array, shares: Array, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return low and high ends of the intervals of average precisions.

    An average precision is a mean over the positives. The ends are those on the logit scale (Boyd, Eng and Page, "Area
    under the precision-recall curve: point estimates and confidence intervals", 2013), or, where they are wider, those
    with one positive more: for the low end one that is found by chance, for the high end one that is found first.

    Args:
        values: average precisions (classes,).
        errors: their standard errors (classes,).
        positives: samples of each class (classes,).
        shares: their share of all samples (classes,), which is the precision of chance.
    """
    steps = values + errors * rng.standard_normal((REPEATS, 1))
    extra = rng.standard_exponential((REPEATS, 1))
    weight = positives + extra
    low = np.quantile((positives * steps + extra * shares) / weight, LEVELS[0], axis=0)
    high = np.quantile((positives * steps + extra) / weight, LEVELS[1], axis=0)
    on_logit = logit_intervals(values, errors)
    return np.minimum(low, on_logit[0]).clip(0, 1), np.maximum(high, on_logit[1]).clip(0, 1)


def logit_intervals(values: Array, errors: Array) -> tuple[Floats, Floats]:
    """Return low and high ends on the logit scale of metrics between 0 and 1; points at 0 and 1 (Pepe 2003)."""
    spread = values * (1 - values)
    certain = spread <= 0
    inner, width = np.where(certain, 0.5, values), np.where(certain, 1.0, spread)
    logit, step = np.log(inner / (1 - inner)), NORMAL_97_5 * errors / width
    low, high = (np.where(certain, values, 1 / (1 + np.exp(-(logit + sign * step)))) for sign in (-1, 1))
    return low, high


def mean_of_classes(low: Floats, value: Floats, high: Floats) -> Interval:
    """Return the interval of the mean over classes of a metric between 0 and 1; all arguments are (classes,).

    The distances to the ends add up as variances do (MOVER: Zou and Donner, "Construction of confidence intervals
    about effect measures", 2008). A mistake concerns two of the classes, which makes their correlation
    1 / (classes - 1).
    """
    classes, mean = len(value), float(value.mean())
    together = 1 / (classes - 1)

    def distance(of_class: Floats) -> float:
        squares = float(of_class @ of_class)
        return float(np.sqrt((1 - together) * squares + together * of_class.sum() ** 2)) / classes

    return [max(0.0, mean - distance(value - low)), min(1.0, mean + distance(high - value))]
