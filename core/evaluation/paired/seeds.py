"""Differences between configurations that were trained with several seeds each, on the same samples.

A difference of means has two sources of chance: the samples, by the mean influence over the seeds of each; and the
seeds, by their pooled variance. A configuration with a single run takes the variance of the other's seeds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from core.evaluation.paired.by_influences import from_influences, without_rounding
from core.evaluation.paired.difference import Difference, student
from core.evaluation.paired.influences import influences_of
from core.evaluation.paired.units import has_too_few_groups
from core.evaluation.predictions import Predictions
from core.evaluation.values import Floats

__all__ = ["Repeated", "repeated_difference"]


@dataclass(frozen=True, eq=False)
class Repeated:
    """A metric of one configuration, a value for each seed, and the predictions behind them.

    Attributes:
        predictions: of the same samples for all seeds; empty where they are not known.
    """

    values: tuple[float, ...]
    predictions: tuple[Predictions, ...] = ()


def repeated_difference(
    metric: str, first: Repeated, second: Repeated, comparisons: int
) -> Difference | None:
    """Return the difference of the means of a metric, first minus second; None where nothing shows its error.

    Args:
        comparisons: how many pairs of configurations are compared at once.
    """
    value = float(np.mean(first.values) - np.mean(second.values))
    of_seeds = _of_seeds(first.values, second.values)
    if of_seeds is None:
        return None
    runs = (*first.predictions, *second.predictions)
    mine, theirs = (_mean_influences(each.predictions, metric) for each in (first, second))
    if runs and has_too_few_groups(runs[0]):
        return None
    if mine is None or theirs is None:
        return student(value, of_seeds[0] ** 0.5, of_seeds[1], comparisons) if of_seeds[0] else None
    influences = without_rounding(mine, theirs)
    return from_influences(runs, metric, value, influences, comparisons, of_seeds)


def _of_seeds(first: Sequence[float], second: Sequence[float]) -> tuple[float, float] | None:
    """The variance of the difference of two means over seeds, and its degrees of freedom."""
    freedom = len(first) + len(second) - 2
    if freedom < 1:
        return None
    squares = sum(float(np.square(np.array(each) - np.mean(each)).sum()) for each in (first, second))
    return squares / freedom * (1 / len(first) + 1 / len(second)), float(freedom)


@lru_cache(maxsize=64)
def _mean_influences(predictions: tuple[Predictions, ...], metric: str) -> Floats | None:
    found = [influences_of(each).get(metric) for each in predictions]
    known = [each for each in found if each is not None]
    return np.mean(known, axis=0) if known and len(known) == len(found) else None
