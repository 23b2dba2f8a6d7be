"""Difference between two models on the same samples."""

from collections.abc import Mapping

import numpy as np

from core.evaluation.intervals.areas import FEWEST_OF_CLASS
from core.evaluation.paired.by_influences import from_influences, without_rounding
from core.evaluation.paired.difference import LEVEL, Difference
from core.evaluation.paired.influences import influences_of
from core.evaluation.paired.shares import share_difference
from core.evaluation.paired.units import OF_RANKS, effective_units, has_too_few_groups, is_grouped
from core.evaluation.predictions import Predictions
from core.evaluation.values import Array, Integers
from core.metrics import SAME_AS_ACCURACY

__all__ = ["MAX_CELLS", "paired_differences", "same_samples"]

MAX_CELLS = 20_000_000
"""Scores of a model up to which it is compared sample by sample."""
OF_SCORES = (*OF_RANKS, "log_loss", "brier")
"""Beginnings of the names of metrics whose difference needs some samples of each class."""


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
            are of fewer groups than show how much groups differ, and those of scores where a class has hardly any.
        comparisons: how many pairs of models are compared at once.
    """
    if has_too_few_groups(first):
        return {}
    mine, theirs = (influences_of(each, frozenset(values)) for each in (first, second))
    of_scores = not first.has_numbers and any(name.startswith(OF_SCORES) for name in values)
    few = of_scores and effective_units(first, of_rarest_class=True) < FEWEST_OF_CLASS
    known = [
        name
        for name in values
        if name in mine and name in theirs and not (few and name.startswith(OF_SCORES))
    ]
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


def _of_hits(
    first: Predictions, second: Predictions, metric: str, value: float, hits: Integers, comparisons: int
) -> Difference:
    """The difference of shares of right predictions; `hits` as in `share_difference`."""
    if first.weights is not None or is_grouped(first):
        weights = np.ones(len(hits)) if first.weights is None else first.weights / first.weights.mean()
        return from_influences((first, second), metric, value, weights * (hits - value), comparisons)
    found, interval, p = share_difference(hits, LEVEL / comparisons)
    return Difference(found, interval, min(1.0, p * comparisons))
