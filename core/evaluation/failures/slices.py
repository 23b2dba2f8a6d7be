"""Slices: how well a model answers the samples that share a value of a column, or lie in one range of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from core.evaluation.intervals import Interval
from core.evaluation.intervals.proportions import proportion_intervals
from core.evaluation.predictions import Predictions
from core.evaluation.regression import residuals
from core.evaluation.values import Array, Floats

__all__ = ["MIN_SAMPLES", "Outcomes", "Slice", "outcomes", "slices"]

MIN_SAMPLES = 10
"""Smaller slices say nothing, and are left out."""
MAX_VALUES = 20
"""Values of a column that are slices of their own, the most frequent ones; up to so many numbers are not binned."""
BINS = 5
LEVEL = 0.05


@dataclass(frozen=True)
class Outcomes:
    """How well each sample was answered.

    Attributes:
        metric: whose mean over samples is compared: ``accuracy`` or ``mae``.
        values: (n,), 1 for a right answer and 0 for a wrong one, or the absolute error in the unit of the target.
    """

    metric: str
    values: Floats

    @property
    def lower_is_better(self) -> bool:
        """Return whether less is better."""
        return self.metric == "mae"


@dataclass(frozen=True)
class Slice:
    """Samples that share something.

    Attributes:
        column, value: what they share; a range is written ``1.5 … 3``.
        samples: how many they are.
        score: the mean of their outcomes, and `rest` that of all others; None if there are no others.
        interval: 95 % interval of the score.
        is_worse: worse than the rest by more than chance explains, with all slices that were looked at.
    """

    column: str
    value: str
    samples: int
    score: float
    rest: float | None
    interval: Interval
    is_worse: bool


def outcomes(predictions: Predictions) -> Outcomes | None:
    """Return how well each sample was answered; None of answers that are neither one class nor a number."""
    if predictions.targets.ndim == 1 and predictions.scores.ndim == 2:
        return Outcomes("accuracy", (predictions.predicted == predictions.targets).astype(np.float64))
    if predictions.scores.ndim == 1:
        return Outcomes("mae", np.abs(residuals(predictions)))
    return None


def slices(found: Outcomes, columns: Mapping[str, Array]) -> list[Slice]:
    """Return the slices of all columns, those that are clearly worse first, then by their score, the worst first.

    Args:
        columns: by name, (n,) floats, NaN where one is missing, or texts, empty where one is missing.
    """
    parts = [
        (column, value, where)
        for column, values in columns.items()
        for value, where in _parts(values)
        if np.count_nonzero(where) >= MIN_SAMPLES
    ]
    each = [_slice(found, column, value, where, len(parts)) for column, value, where in parts]
    sign = -1 if found.lower_is_better else 1
    return sorted(each, key=lambda one: (not one.is_worse, sign * one.score, -one.samples))


def _parts(values: Array) -> Iterator[tuple[str, Array]]:
    """The values or ranges of a column, each with where (n,) it holds."""
    if values.dtype.kind in "fiu":
        yield from _of_numbers(values.astype(np.float64))
        return
    names, counts = np.unique(values, return_counts=True)
    often = names[np.argsort(-counts, kind="stable")][:MAX_VALUES]
    for name in often:
        yield str(name) or "missing", values == name
    if len(often) < len(names):
        yield f"{len(names) - len(often):,} other values", ~np.isin(values, often)


def _of_numbers(values: Floats) -> Iterator[tuple[str, Array]]:
    known = values[np.isfinite(values)]
    if len(known) < len(values):
        yield "missing", ~np.isfinite(values)
    different = np.unique(known)
    if len(different) <= min(MAX_VALUES, max(BINS, len(known) // MIN_SAMPLES)):
        for number in different:
            yield f"{number:g}", values == number
        return
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)))
    for place, (low, high) in enumerate(pairwise(edges)):
        last = place == len(edges) - 2
        yield f"{low:.4g} … {high:.4g}", (values >= low) & (values <= high if last else values < high)


def _slice(found: Outcomes, column: str, value: str, where: Array, looked_at: int) -> Slice:
    inside, outside = found.values[where], found.values[~where]
    score, rest = float(inside.mean()), float(outside.mean()) if len(outside) else None
    interval, p = _interval(found, inside), _chance(found, inside, outside)
    worse = rest is not None and (score > rest if found.lower_is_better else score < rest)
    return Slice(column, value, len(inside), score, rest, interval, worse and p * looked_at < LEVEL)


def _interval(found: Outcomes, inside: Floats) -> Interval:
    """Exact for a share of right answers; for errors that of Student's distribution."""
    if found.metric == "accuracy":
        low, high = proportion_intervals(inside.sum(), np.array(len(inside)))
        return [float(low), float(high)]
    from scipy import special

    mean, error = float(inside.mean()), float(inside.std(ddof=1)) / np.sqrt(len(inside))
    width = float(special.stdtrit(len(inside) - 1, 1 - LEVEL / 2)) * error
    return [max(0.0, mean - width), mean + width]


def _chance(found: Outcomes, inside: Floats, outside: Floats) -> float:
    """Return the probability of a difference at least this large by chance: Fisher's exact test, or Welch's test."""
    from scipy import stats

    if not len(outside):
        return 1.0
    if found.metric == "accuracy":
        table = [[int(part.sum()), len(part) - int(part.sum())] for part in (inside, outside)]
        return float(stats.fisher_exact(table).pvalue)
    if len(outside) < 2 or not (inside.std() or outside.std()):
        return 1.0
    return float(stats.ttest_ind(inside, outside, equal_var=False).pvalue)
