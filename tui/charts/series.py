"""Numbers for a chart: cut long series to what a screen can show, without losing a spike.

``reduce_min_max`` cuts arrays, ``smooth`` averages. Nothing here knows of widgets.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from core.runs.history.series import Floats, Points

__all__ = ["LARGEST", "range_of", "reduce_min_max", "smooth", "time_unit"]


LARGEST = 1e300
"""Larger values are treated as infinite, so that a distance between two values is always a number."""
NEGLIGIBLE_SHARE = 1e-12
MAX_VISITS = 4
"""How often a curve that runs to and fro may come back to a column before neighbouring visits are joined."""


TIME_UNITS = ((2.0, 3600.0, "hours"), (5.0, 60.0, "minutes"))
"""Minimum number of a time unit for it to be used; otherwise times are in seconds."""


def range_of(curves: Iterable[Floats]) -> tuple[float | None, float | None]:
    """Return the least and the largest value of some curves: for an axis that another, which blows up, may leave.

    None, for all that is drawn, where they are equal or there is none.
    """
    known = np.concatenate([np.zeros(0), *curves])
    known = known[np.isfinite(known)]
    return (
        (float(known.min()), float(known.max())) if known.size and known.min() < known.max() else (None, None)
    )


def time_unit(longest: float) -> tuple[str, float]:
    """Return the unit that times of up to so many seconds are shown in, and its seconds."""
    return next(
        ((unit, size) for least, size, unit in TIME_UNITS if longest >= least * size), ("seconds", 1.0)
    )


def reduce_min_max(x: Floats, y: Floats, columns: int, window: tuple[float, float] | None = None) -> Points:
    """Cut a curve to at most a few points a column: its smallest and largest value in each.

    A line through them covers the same dots as a line through all points: where the curve falls, the largest
    value stands first; where it only shivers, the order alternates, so that the line goes up in one column
    and down in the next. Curves of up to ``2 * columns`` points come back whole. A NaN in ``y`` is a gap, and
    stays one where a whole column is NaN; infinite values count as NaN; points whose ``x`` is not finite are
    dropped.

    Args:
        x: shape (n,), any order; sorted either way is fast (10 million points take about 10 ms).
        y: shape (n,).
        columns: into how many columns the range of x is cut, at least 1.
        window: keep only points with x in this closed interval, and the next one on each side of it.

    Returns:
        x and y of the kept points, both shape (m,).
    """
    x, y, is_sorted = _in_order(x, y)
    if window is not None:
        x, y = _within(x, y, window, is_sorted)
    if x.size <= 2 * columns:
        return x, _finite(y)
    starts = _column_starts(x, columns, is_sorted)
    low, high = _extremes(y, starts)
    ends = np.append(starts[1:], x.size) - 1
    rise = _finite(y[ends]) - _finite(y[starts])
    shivers = np.abs(rise) < (high - low) / 2
    falls = np.where(shivers, np.arange(starts.size) % 2 == 1, rise < 0)
    # One x for both: a slanted line would cover the column and half of the next.
    reduced_x = np.repeat(x[starts] + (x[ends] - x[starts]) / 2, 2)
    reduced_x[0], reduced_x[-1] = x[0], x[-1]
    reduced_y = np.where(falls[:, None], np.stack((high, low), axis=1), np.stack((low, high), axis=1))
    return reduced_x, reduced_y.ravel()


def smooth(values: Floats, weight: float) -> Floats:
    """Exponential moving average, unbiased at the start; missing values stay missing and weigh nothing.

    With w the weight, value t becomes the sum of w^k * value[t-k] over all k >= 0, divided by the sum of the
    w^k. Computed by doubling: a sum of 2m terms is the one of m terms plus w^m times that m places earlier.

    Args:
        values: shape (n,), NaN where a value is missing.
        weight: w in [0, 1); 0 changes nothing.

    Raises:
        ValueError: ``weight`` is outside [0, 1).
    """
    if not 0 <= weight < 1:
        raise ValueError(f"the smoothing weight is {weight}; it must be at least 0 and less than 1")
    present = np.isfinite(values)
    sums = np.stack((np.where(present, values, 0.0), present.astype(np.float64)))
    shift, share = 1, weight
    while shift < values.size and share > NEGLIGIBLE_SHARE:
        sums[:, shift:] = sums[:, shift:] + share * sums[:, :-shift]
        shift, share = 2 * shift, share * share
    average: Floats = np.divide(sums[0], sums[1], out=np.full(values.shape, np.nan), where=present)
    return average


def _in_order(x: Floats, y: Floats) -> tuple[Floats, Floats, bool]:
    """Points with finite x; from left to right if they stand in order, else as they come, and False."""
    if not x.size or (_ascends(x) and x[0] >= -LARGEST and x[-1] <= LARGEST):
        return x, y, True
    finite = np.abs(x) <= LARGEST
    x, y = x[finite], y[finite]
    if _ascends(x[::-1]):
        return x[::-1], y[::-1], True
    return x, y, _ascends(x)


def _ascends(x: Floats) -> bool:
    return bool((x[1:] >= x[:-1]).all())


def _within(x: Floats, y: Floats, window: tuple[float, float], is_sorted: bool) -> Points:
    low, high = window
    if is_sorted:
        start = max(0, int(np.searchsorted(x, low)) - 1)
        stop = int(np.searchsorted(x, high, side="right")) + 1
        return x[start:stop], y[start:stop]
    inside = (x >= low) & (x <= high)
    kept = inside.copy()
    kept[1:] |= inside[:-1]
    kept[:-1] |= inside[1:]
    return x[kept], y[kept]


def _column_starts(x: Floats, columns: int, is_sorted: bool) -> NDArray[np.intp]:
    """Return the indices at which the curve enters another column: shape (m,), increasing, the first is 0."""
    if is_sorted:
        borders = np.linspace(x[0], x[-1], columns + 1)[1:-1]
        starts = np.append(0, np.searchsorted(x, borders))
        is_first = np.append(True, np.diff(starts) > 0)  # np.unique imports much when it is first called
        return starts[is_first & (starts < x.size)]
    low, high = x.min(), x.max()
    column = ((x - low) * (columns / (high - low))).astype(np.int64)
    starts = np.append(0, np.flatnonzero(np.diff(column)) + 1)
    # A curve that jumps back and forth has as many starts as points: join some visits, keeping their extremes.
    return starts[:: 1 + starts.size // (MAX_VISITS * columns)]


def _extremes(y: Floats, starts: NDArray[np.intp]) -> Points:
    """Smallest and largest finite value from each start to the next; NaN where there is none."""
    low, high = np.fmin.reduceat(y, starts), np.fmax.reduceat(y, starts)
    # Looking only at the extremes for values to leave out saves a pass over all values.
    if (low < -LARGEST).any() or (high > LARGEST).any():
        y = _finite(y)
        low, high = np.fmin.reduceat(y, starts), np.fmax.reduceat(y, starts)
    return low, high


def _finite(y: Floats) -> Floats:
    return np.where(np.abs(y) <= LARGEST, y, np.nan)
