"""95 % intervals of metrics whose coverage holds for small splits and near-perfect models too."""

from typing import Final

__all__ = ["LEVELS", "NORMAL_97_5", "Interval", "widened"]

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
