"""Difference of a metric by the influences of samples on it, and its interval."""

from collections.abc import Sequence

import numpy as np

from core.evaluation.paired.difference import LEVEL, Difference, student
from core.evaluation.paired.shares import unseen_share
from core.evaluation.paired.units import (
    OF_RANKS,
    effective_units,
    freedom_of,
    is_grouped,
    sums_of_units,
    units_of,
)
from core.evaluation.predictions import Predictions
from core.evaluation.values import Floats
from core.metrics import OF_PREDICTED

__all__ = ["from_influences", "without_rounding"]

ROUNDING = 1e-12
OF_ONE_CLASS = ("precision", "recall", "f1", "specificity", *OF_RANKS)
SPANS = {"mcc": 2.0, "cohen_kappa": 2.0}
"""How far apart the values of a metric are where no sample is right and where all are; 1 for the others."""


def from_influences(
    runs: Sequence[Predictions],
    metric: str,
    value: float,
    influences: Floats,
    comparisons: int,
    besides: tuple[float, float] = (0.0, 1.0),
) -> Difference:
    """Return the difference of a metric, by the influences (n,) of samples on it.

    Args:
        runs: all models that it is a difference of.
        besides: variance from other sources than samples, and its degrees of freedom, which are combined as those of
            Satterthwaite, "An approximate distribution of estimates of variance components" (1946).
    """
    differing, freedom = _differing(runs, metric), freedom_of(runs[0], metric)
    error, level = standard_error(runs[0], influences), LEVEL / comparisons
    step = _largest_step(runs[0], metric, influences, level)
    width = _half_width(*_together((error**2, freedom), besides), step, level)
    if error:
        freedom = max(1, min(freedom, differing - 1))
        error = max(error, _least_error(value, differing, freedom))
    variance, together = _together((error**2, freedom), besides)
    low, high = value - width, value + width
    if not variance:
        return Difference(value, (low, high), 1.0)
    found = student(value, variance**0.5, together, comparisons)
    if not found.is_clear:
        low, high = min(low, 0.0), max(high, 0.0)
    elif value > 0:
        low = found.interval[0]
    else:
        high = found.interval[1]
    return Difference(value, (low, high), found.p)


def _together(samples: tuple[float, float], besides: tuple[float, float]) -> tuple[float, float]:
    """The sum of two variances, and its degrees of freedom."""
    variance = samples[0] + besides[0]
    if not variance:
        return 0.0, samples[1]
    return variance, variance**2 / (samples[0] ** 2 / samples[1] + besides[0] ** 2 / besides[1])


def _half_width(variance: float, freedom: float, step: float, level: float) -> float:
    """Half of an interval whose variance grows with the difference in question, by `step` times that.

    The larger the difference, the more units there are on which the models differ, as in the score test of
    `share_difference`: the end is where the difference, squared, is the squared quantile times its variance.
    """
    from scipy import special

    of_step = float(special.ndtri(1 - level / 2)) ** 2 * step
    seen = float(special.stdtrit(freedom, 1 - level / 2)) ** 2 * variance
    return (of_step + float(np.sqrt(of_step**2 + 4 * seen))) / 2


def _least_error(value: float, differing: int, freedom: float) -> float:
    """The error below which a difference would be clearer than in a sign test of units that all speak for one model.

    They show no variance, but their p is 2 ** (1 - differing) all the same.
    """
    from scipy import special

    return abs(value) / float(special.stdtrit(freedom, 1 - 0.5 ** max(differing, 2)))


def _largest_step(runs: Predictions, metric: str, influences: Floats, level: float) -> float:
    """How much one more unit on which the models differ may change the difference of a metric.

    As much as any that was seen. Where predicted classes alone count, or ranks of scores that never differed, at least
    as much as a unit of the rarest class.
    """
    seen = float(np.abs(sums_of_units(runs, influences)).max()) / len(influences)
    counted = metric.startswith(OF_PREDICTED) or not runs.has_scores
    if not counted and (seen or not metric.startswith(OF_RANKS)):
        return seen
    return max(seen, SPANS.get(metric, 1.0) * unseen_share(_equal_units(runs, metric), level))


def _equal_units(runs: Predictions, metric: str) -> int:
    """How many independent units a metric is a mean over, as if all its classes were as rare as the rarest one."""
    of_classes = metric.endswith("_macro") or metric in ("balanced_accuracy", *SPANS)
    rarest = of_classes or metric in OF_ONE_CLASS
    return effective_units(runs, of_rarest_class=rarest) * (runs.scores.shape[1] if of_classes else 1)


def _differing(runs: Sequence[Predictions], metric: str) -> int:
    """How many independent units hold a sample on which some models differ in what the metric counts."""
    counted = metric.startswith(OF_PREDICTED)
    answers = [each.predicted if counted else each.scores for each in runs]
    apart = np.zeros(len(runs[0]), dtype=np.bool_)
    for other in answers[1:]:
        apart |= (other != answers[0]).reshape(len(apart), -1).any(axis=1)
    return len(np.unique(units_of(runs[0])[apart]))


def without_rounding(mine: Floats, theirs: Floats) -> Floats:
    """Return the difference of influences (n,), zero where only rounding makes one: of two models without mistakes."""
    difference = mine - theirs
    scale = max(1.0, float(np.abs(mine).max()), float(np.abs(theirs).max()))
    difference[np.abs(difference) <= ROUNDING * scale] = 0.0
    return difference


def standard_error(predictions: Predictions, influences: Floats) -> float:
    """Return the standard error of a metric, or of a difference, from the influences (n,) of samples on it.

    Those of a group are summed, since its samples are not independent; with the correction for few groups, G / (G - 1).
    """
    n, sums = len(influences), sums_of_units(predictions, influences)
    if not is_grouped(predictions):
        return float(np.sqrt(np.square(sums).sum())) / n
    count = len(sums)
    return float(np.sqrt(np.square(sums).sum() * count / (count - 1))) / n
