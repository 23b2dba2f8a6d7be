"""The intervals of every metric of a regression, or the reason why one has none."""

from collections.abc import Mapping

import numpy as np

from core.evaluation.influence import centred
from core.evaluation.intervals import NORMAL_97_5, Interval
from core.evaluation.intervals.classification import Intervals
from core.evaluation.intervals.means import mean_offsets, shifted
from core.evaluation.values import Array, Floats

__all__ = ["regression_intervals"]

FEWEST = 5
HEAVY, HEAVY_AT_LEAST = 1.7, 0.02
"""Share of the largest squared error in their sum from which on single samples decide it: in units of the share that
normal errors lead to expect, 2 log(n) / n, and in any case."""


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
        return Intervals({}, dict.fromkeys(values, f"{n} samples are too few for an interval"))
    if not squared.any():
        return Intervals({}, dict.fromkeys(values, "all errors are 0, which does not show how they vary"))
    largest = float(squared.max() / squared.sum())
    missing = {}
    if largest > max(HEAVY * 2 * np.log(n) / n, HEAVY_AT_LEAST):
        reason = (
            f"one error makes up {100 * largest:.0f} % of the squared error, so that single samples decide it"
        )
        missing = {name: reason for name in ("rmse", "r2") if name in values}
    weights = np.ones(n)
    influences = {}
    if "mae" in values:
        influences["mae"] = centred(np.abs(residual), weights)
    if "mape" in values:
        influences["mape"] = centred(np.abs(residual / targets), weights)
    if "r2" in values and "r2" not in missing:
        # On the logarithm of the unexplained part 1 - R2, which makes room for a long tail downwards.
        deviation = (targets - targets.mean(dtype=np.float64)) ** 2
        influences["r2"] = squared / squared.mean() - deviation / deviation.mean()
    found: dict[str, Interval] = {}
    if influences:
        offsets = mean_offsets(np.stack(list(influences.values()), axis=1), weights, rng)
        found = {
            name: _around(name, values[name], offset)
            for name, offset in zip(influences, offsets.T, strict=True)
        }
    if "rmse" in values and "rmse" not in missing:
        found["rmse"] = _root_mean_square(values["rmse"], squared)
    return Intervals({name: ends for name, ends in found.items() if np.isfinite(ends).all()}, missing)


def _around(metric: str, value: float, offsets: Floats) -> Interval:
    if metric == "r2":
        high, low = (1 - (1 - value) * np.exp(offsets)).tolist()
        return [low, high]
    return shifted(value, offsets)


def _root_mean_square(value: float, squared: Floats) -> Interval:
    """Return the interval of a root mean square, whose width depends on the kurtosis of the errors.

    Bonett, "Approximate confidence interval for standard deviation of nonnormal distributions" (2006).
    """
    n = len(squared)
    kurtosis = float(n * np.square(squared / squared.sum()).sum())
    correction = n / (n - NORMAL_97_5)
    error = NORMAL_97_5 * correction * np.sqrt(max(kurtosis - (n - 3) / n, 1 / n) / (n - 1))
    ends = value * np.sqrt(correction * np.exp([-error, error]))
    return [float(ends[0]), float(ends[1])]
