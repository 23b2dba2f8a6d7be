"""The intervals of every metric of a regression, or the reason why one has none.

A sample does not show the tail of the errors: where one of a hundred is ten times as large as the others, most samples
of 50 have none of them. To hide intervals where tails look heavy makes it worse, since those that are left are the ones
whose largest errors are missing. So each interval allows for one sample more than there are, with an error some times
as large as the largest (see `core.evaluation.intervals.means.sums_with_one_more`). `python -m benchmarks.coverage` has
what that reaches.
"""

from collections.abc import Mapping

import numpy as np

from core.counting import counted
from core.evaluation.influence import centred
from core.evaluation.intervals import LEVELS, NORMAL_97_5, Interval, widened
from core.evaluation.intervals.classification import Intervals
from core.evaluation.intervals.means import loss_interval, mean_offsets, sums_with_one_more
from core.evaluation.values import Array, Floats

__all__ = ["regression_intervals"]

FEWEST, FEWEST_OF_SQUARES = 5, 30
UNSEEN, UNSEEN_SQUARED = 2.0, 3.0
"""How many times as large as the largest error the one more is, in means of errors and in means of their squares."""
FARTHER = 2.0
"""How many times as far from the mean as the farthest target that of the one more is."""
ALL_IN_ONE = 0.9
"""Share of the largest squared error in their sum from which on it is a number of one sample."""


def regression_intervals(
    values: Mapping[str, float], targets: Array, residual: Floats, rng: np.random.Generator
) -> Intervals:
    """Return the intervals of some metrics of n samples.

    Args:
        values: the metrics that are defined.
        targets, residual: (n,), in the unit of the target.
    """
    n, squared = len(residual), residual**2
    if n < FEWEST:
        return Intervals(
            {},
            dict.fromkeys(values, f"{counted(n, 'sample is', 'samples are')} too few for an interval"),
        )
    if not squared.any():
        return Intervals({}, dict.fromkeys(values, "all errors are 0, which does not show how they vary"))
    largest = float(squared.max() / squared.sum())
    reason = ""
    if largest > ALL_IN_ONE:
        reason = (
            f"one error makes up {100 * largest:.0f} % of the squared error, so that single samples decide it"
        )
    elif n < FEWEST_OF_SQUARES:
        reason = f"{n} samples are too few to tell how large the largest errors are; {FEWEST_OF_SQUARES} are needed"
    missing = {name: reason for name in ("rmse", "r2") if reason and name in values}
    found: dict[str, Interval] = {}
    for name in values.keys() - missing.keys():
        if name == "mae":
            found[name] = _mean(np.abs(residual), rng)
        elif name == "mape":
            found[name] = _mean(np.abs(residual / targets), rng)
        elif name == "rmse":
            found[name] = _root_mean_square(values[name], squared, rng)
        elif name == "r2":
            found[name] = _explained(values[name], squared, targets, rng)
    return Intervals({name: ends for name, ends in found.items() if np.isfinite(ends).all()}, missing)


def _mean(errors: Floats, rng: np.random.Generator) -> Interval:
    return loss_interval(errors, np.ones(len(errors)), UNSEEN * float(errors.max()), rng)


def _root_mean_square(value: float, squared: Floats, rng: np.random.Generator) -> Interval:
    """Return the interval of a root mean square, whose width depends on the kurtosis of the errors.

    Bonett, "Approximate confidence interval for standard deviation of nonnormal distributions" (2006), and the high end
    with one sample more.
    """
    n = len(squared)
    kurtosis = float(n * np.square(squared / squared.sum()).sum())
    correction = n / (n - NORMAL_97_5)
    error = NORMAL_97_5 * correction * np.sqrt(max(kurtosis - (n - 3) / n, 1 / n) / (n - 1))
    ends = value * np.sqrt(correction * np.exp([-error, error]))
    with_more = np.sqrt(loss_interval(squared, np.ones(n), UNSEEN_SQUARED**2 * float(squared.max()), rng))
    return widened(value, ends.tolist(), [value, float(with_more[1])])


def _explained(value: float, squared: Floats, targets: Array, rng: np.random.Generator) -> Interval:
    """Return the interval of R2, on the logarithm of the unexplained part 1 - R2, which makes room for a long tail.

    The one more is a target far off that was not predicted, for the low end, or one that was predicted nearly as well
    as the others, for the high one.
    """
    weights = np.ones(len(squared))
    deviation = (targets - targets.mean(dtype=np.float64)) ** 2
    influence = centred(squared / squared.mean() - deviation / deviation.mean(), weights)
    offsets = mean_offsets(influence[:, None], weights, rng)[:, 0]
    high, low = (1 - (1 - value) * np.exp(offsets)).tolist()
    worst = UNSEEN_SQUARED**2 * squared.max()
    more = np.array([[worst, worst], [squared.max(), FARTHER**2 * deviation.max()]])
    sums, _ = sums_with_one_more(np.stack([squared, deviation], axis=1), weights, more, rng)
    missed, hit = 1 - sums[..., 0] / sums[..., 1]
    return widened(
        value, [low, high], [float(np.quantile(missed, LEVELS[0])), float(np.quantile(hit, LEVELS[1]))]
    )
