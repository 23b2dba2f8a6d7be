"""95 % intervals of metrics whose coverage holds for small splits and near-perfect models too."""

from typing import Final

__all__ = ["LEVELS", "NORMAL_97_5", "Interval", "unbiased", "widened"]

LEVELS: Final = (0.025, 0.975)
"""Probabilities of the two ends of a 95 % interval."""
NORMAL_97_5: Final = 1.959963984540054
"""97.5 % quantile of the standard normal distribution."""

Interval = list[float]
"""Low and high end, low first."""


def widened(value: float, *intervals: Interval) -> Interval:
    """Return the narrowest interval that holds a value and some intervals of it."""
    ends = [value, *(end for interval in intervals for end in interval)]
    return [min(ends), max(ends)]


def unbiased(ends: Interval, bias: float) -> Interval:
    """Return an interval of draws that are further down, or up, than the value that they are draws of.

    What resampling does to a value, a sample has done to the true one before: the mean of F1 over many classes of few
    samples falls with each. So the ends move by the bias, and by it once more (Efron and Tibshirani, "An Introduction
    to the Bootstrap", 1993, chapter 10); the wider one of both is taken. A bias below a quarter of the standard error
    is left alone, as they advise.
    """
    low, high = ends
    if abs(bias) < (high - low) / (2 * NORMAL_97_5) / 4:
        return ends
    return [low - max(bias, 2 * bias), high - min(bias, 2 * bias)]
