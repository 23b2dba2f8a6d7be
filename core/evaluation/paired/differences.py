"""Difference between two models on the same samples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.evaluation.intervals.jackknife import too_few_groups
from core.evaluation.intervals.proportions import proportion_intervals
from core.evaluation.paired.influences import influences_of
from core.evaluation.predictions import Predictions
from core.evaluation.values import Array, Floats, Integers
from core.evaluation.weighted import effective_size
from core.metrics import OF_PREDICTED, SAME_AS_ACCURACY

__all__ = [
    "MAX_CELLS",
    "Difference",
    "from_influences",
    "has_too_few_groups",
    "paired_differences",
    "same_samples",
    "student",
    "without_rounding",
]

MAX_CELLS = 20_000_000
"""Scores of a model up to which it is compared sample by sample."""
LEVEL = 0.05
ROUNDING = 1e-12


@dataclass(frozen=True)
class Difference:
    """A metric of one model minus that of another.

    Attributes:
        value: the difference, in the unit of the metric.
        interval: 95 % interval, corrected for the number of comparisons.
        p: probability of a difference at least this large between models that are equally good, times the number of
            comparisons (Bonferroni), at most 1.
    """

    value: float
    interval: tuple[float, float]
    p: float

    @property
    def is_clear(self) -> bool:
        """Return whether it is larger than chance alone would make it in 95 of 100 comparisons."""
        return self.p < LEVEL


def same_samples(first: Predictions, second: Predictions) -> bool:
    """Return whether two models were evaluated on the same samples, in the same order."""
    return (
        first.scores.shape == second.scores.shape
        and np.array_equal(first.indices, second.indices)
        and np.array_equal(first.targets, second.targets)
        and _equal(first.weights, second.weights)
        and _equal(first.groups, second.groups)
    )


def _equal(first: Array | None, second: Array | None) -> bool:
    if first is None or second is None:
        return first is second
    return np.array_equal(first, second)


def paired_differences(
    first: Predictions, second: Predictions, values: Mapping[str, float], comparisons: int = 1
) -> dict[str, Difference]:
    """Return the differences, first minus second, of some metrics.

    Args:
        first, second: of the same samples; see `same_samples`.
        values: differences of metrics by name; those without influences are left out, as are all where the samples
            are of fewer groups than show how much groups differ.
        comparisons: how many pairs of models are compared at once.
    """
    if has_too_few_groups(first):
        return {}
    mine, theirs = (influences_of(each, frozenset(values)) for each in (first, second))
    known = [name for name in values if name in mine and name in theirs]
    found = {
        name: from_influences(
            (first, second), name, values[name], without_rounding(mine[name], theirs[name]), comparisons
        )
        for name in known
    }
    if first.has_labels:
        hits, same_as_hits = _hits_of_labels(first, second), ["subset_accuracy"]
    elif first.has_classes:
        right = [(each.predicted == each.targets).astype(np.int64) for each in (first, second)]
        hits, same_as_hits = right[0] - right[1], ["accuracy", *SAME_AS_ACCURACY]
    else:
        return found
    wanted = [name for name in same_as_hits if name in values]
    if wanted:
        exact = _of_hits(first, second, wanted[0], values[wanted[0]], hits, comparisons)
        found |= dict.fromkeys(wanted, exact)
    return found


def _hits_of_labels(first: Predictions, second: Predictions) -> Integers:
    right: list[Integers] = [
        (each.predicted == each.targets).all(axis=1).astype(np.int64) for each in (first, second)
    ]
    return right[0] - right[1]


def has_too_few_groups(predictions: Predictions) -> bool:
    """Return whether the groups of samples are too few to tell how much groups differ from each other."""
    return bool(too_few_groups(predictions.groups))


def _of_hits(
    first: Predictions, second: Predictions, metric: str, value: float, hits: Integers, comparisons: int
) -> Difference:
    """The difference of shares of right predictions.

    Args:
        hits: (n,), 1 where only the first model is right, -1 where only the second one is, else 0.
    """
    n, differing = len(hits), int(np.count_nonzero(hits))
    if not differing:
        return Difference(0.0, (0.0, 0.0), 1.0)
    if first.weights is not None or _is_grouped(first):
        weights = np.ones(n) if first.weights is None else first.weights / first.weights.mean()
        return from_influences((first, second), metric, value, weights * (hits - value), comparisons)
    from scipy import stats

    better = int(np.count_nonzero(hits > 0))
    p = float(stats.binomtest(better, differing).pvalue)
    low, high = proportion_intervals(np.array(better), np.array(differing), LEVEL / comparisons)
    ends = [(2 * float(end) - 1) * differing / n for end in (low, high)]
    return Difference((2 * better - differing) / n, (ends[0], ends[1]), min(1.0, p * comparisons))


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
    differing = _differing(runs, metric)
    if not differing or not influences.any():
        error, freedom = 0.0, 1.0
    else:
        freedom = float(max(1, min(freedom_of(runs[0], metric), differing - 1)))
        error = max(standard_error(runs[0], influences), _least_error(value, differing, freedom))
    variance = error**2 + besides[0]
    if not variance:
        return Difference(value, (value, value), 1.0)
    spent = error**4 / freedom + besides[0] ** 2 / besides[1]
    return student(value, variance**0.5, variance**2 / spent, comparisons)


def _least_error(value: float, differing: int, freedom: float) -> float:
    """The error below which a difference would be clearer than in a sign test of units that all speak for one model.

    They show no variance, but their p is 2 ** (1 - differing) all the same.
    """
    from scipy import special

    return abs(value) / float(special.stdtrit(freedom, 1 - 0.5 ** max(differing, 2)))


def _differing(runs: Sequence[Predictions], metric: str) -> int:
    """How many independent units hold a sample on which some models differ in what the metric counts."""
    counted = metric.startswith(OF_PREDICTED)
    answers = [each.predicted if counted else each.scores for each in runs]
    apart = np.zeros(len(runs[0]), dtype=np.bool_)
    for other in answers[1:]:
        apart |= (other != answers[0]).reshape(len(apart), -1).any(axis=1)
    return len(np.unique(_units(runs[0])[apart]))


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
    n = len(influences)
    if not _is_grouped(predictions):
        return float(np.sqrt(np.square(influences).sum())) / n
    sums = np.bincount(_units(predictions), weights=influences)
    count = len(sums)
    return float(np.sqrt(np.square(sums).sum() * count / (count - 1))) / n


def student(value: float, error: float, freedom: float, comparisons: int) -> Difference:
    """Return the difference whose standard error and degrees of freedom are known, by Student's distribution."""
    from scipy import special

    p = 2 * float(special.stdtr(freedom, -abs(value) / error))
    width = float(special.stdtrit(freedom, 1 - LEVEL / 2 / comparisons)) * error
    return Difference(value, (value - width, value + width), min(1.0, p * comparisons))


def freedom_of(predictions: Predictions, metric: str) -> int:
    """Return the degrees of freedom of a metric: independent units less one; of areas, those of the rarest class."""
    units, targets = _units(predictions), predictions.targets
    if not metric.startswith(("roc_auc", "average_precision")):
        samples = len(np.unique(units))
    elif predictions.has_labels:
        samples = min((len(np.unique(units[column != 0])) for column in targets.T), default=1)
    else:
        samples = min(len(np.unique(units[targets == label])) for label in np.unique(targets))
    if predictions.weights is not None:
        samples = int(samples * effective_size(predictions.weights) / len(units))
    return max(1, samples - 1)


def _is_grouped(predictions: Predictions) -> bool:
    return predictions.groups is not None and len(np.unique(predictions.groups)) < len(predictions)


def _units(predictions: Predictions) -> Array:
    """The number (n,) of the group that each sample is of; of samples that are independent, of the sample itself."""
    if predictions.groups is None:
        return np.arange(len(predictions))
    codes: Array = np.unique(predictions.groups, return_inverse=True)[1]
    return codes
