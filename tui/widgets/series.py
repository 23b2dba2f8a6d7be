"""Numbers for a chart: cut long series to what a screen can show, without losing a spike.

``reduce_min_max`` cuts arrays that are already there, ``GrowingSeries`` holds a series that never stops
growing, ``smooth`` averages. Nothing here knows of widgets.
"""

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["LARGEST", "Floats", "GrowingSeries", "Points", "reduce_min_max", "smooth"]

Floats = NDArray[np.float64]
Points = tuple[Floats, Floats]

X_FIRST, Y_FIRST, X_LOW, Y_LOW, X_HIGH, Y_HIGH, X_LAST, Y_LAST, TOTAL, COUNT = range(10)
LARGEST = 1e300
"""Larger values are treated as infinite, so that a distance between two values is always a number."""
NEGLIGIBLE_SHARE = 1e-12
MOST_VISITS = 4
"""How often a curve that runs to and fro may come back to a column before neighbouring visits are joined."""


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
    return np.divide(sums[0], sums[1], out=np.full(values.shape, np.nan), where=present)


class GrowingSeries:
    """A series that one appends to for ever, in constant memory.

    Up to ``capacity`` points are kept as they are. When they are full, neighbours are joined two by two into
    buckets, each remembering its first, smallest, largest and last point and its mean; every time the buckets
    are full, they double in length. So nothing that a chart of ``capacity`` columns shows is ever lost,
    except gaps (NaN) shorter than a bucket.

    Args:
        capacity: how many buckets are kept, an even number; 4096 take 320 KiB.

    Raises:
        ValueError: ``capacity`` is odd or smaller than 2.
    """

    def __init__(self, capacity: int = 4096) -> None:
        if capacity < 2 or capacity % 2:
            raise ValueError(f"the capacity is {capacity}; it must be an even number of at least 2")
        self._buckets = np.empty((COUNT + 1, capacity))
        self._full = 0
        self._bucket_size = 1
        self._open: list[float] = []
        self._open_size = 0
        self._length = 0
        self._points: Points | None = None

    def __len__(self) -> int:
        """How many points were appended."""
        return self._length

    def append(self, x: float, y: float) -> None:
        """Add a point; ``x`` should not decrease. A ``y`` that is not finite makes a gap."""
        y = y if math.isfinite(y) else math.nan
        weight = 0.0 if math.isnan(y) else 1.0
        if not self._open:
            self._open = [x, y, x, y, x, y, x, y, y if weight else 0.0, weight]
        elif weight:
            self._widen_open(x, y)
        self._open[X_LAST], self._open[Y_LAST] = x, y
        self._open_size += 1
        self._length += 1
        self._points = None
        if self._open_size == self._bucket_size:
            self._close()

    def points(self, x_from: float | None = None, x_to: float | None = None) -> Points:
        """The curve: x and y, shape (m,) with m <= 4 * (capacity + 1); the same arrays until the next append.

        With limits, only what a line between them needs: the points inside and the next ones outside.
        """
        if x_from is not None or x_to is not None:
            return _unfold(self._between(x_from, x_to), self._bucket_size)
        if self._points is None:
            self._points = _unfold(self._all(), self._bucket_size)
        return self._points

    def means(self, x_from: float | None = None, x_to: float | None = None) -> Points:
        """The mean of each bucket at its middle, shape (m,) with m <= capacity + 1: what to smooth."""
        buckets = self._between(x_from, x_to)
        count = buckets[COUNT]
        mean = np.divide(buckets[TOTAL], count, out=np.full(count.shape, np.nan), where=count > 0)
        return buckets[X_FIRST] + (buckets[X_LAST] - buckets[X_FIRST]) / 2, mean

    def _widen_open(self, x: float, y: float) -> None:
        bucket = self._open
        # Negated, so that a bucket which began with NaN takes the first number.
        if not y >= bucket[Y_LOW]:
            bucket[X_LOW], bucket[Y_LOW] = x, y
        if not y <= bucket[Y_HIGH]:
            bucket[X_HIGH], bucket[Y_HIGH] = x, y
        bucket[TOTAL] += y
        bucket[COUNT] += 1

    def _close(self) -> None:
        self._buckets[:, self._full] = self._open
        self._open, self._open_size = [], 0
        self._full += 1
        if self._full == self._buckets.shape[1]:
            self._full //= 2
            self._buckets[:, : self._full] = _join_pairs(self._buckets)
            self._bucket_size *= 2

    def _all(self) -> Floats:
        closed = self._buckets[:, : self._full]
        return np.column_stack((closed, self._open)) if self._open else closed

    def _between(self, x_from: float | None, x_to: float | None) -> Floats:
        buckets = self._all()
        start = 0 if x_from is None else max(0, int(np.searchsorted(buckets[X_LAST], x_from)) - 1)
        stop = None if x_to is None else int(np.searchsorted(buckets[X_FIRST], x_to, side="right")) + 1
        return buckets[:, start:stop]


def _join_pairs(buckets: Floats) -> Floats:
    left, right = buckets[:, 0::2], buckets[:, 1::2]
    joined = left.copy()
    joined[[X_LAST, Y_LAST]] = right[[X_LAST, Y_LAST]]
    joined[[TOTAL, COUNT]] += right[[TOTAL, COUNT]]
    lower = (right[Y_LOW] < left[Y_LOW]) | np.isnan(left[Y_LOW])
    higher = (right[Y_HIGH] > left[Y_HIGH]) | np.isnan(left[Y_HIGH])
    joined[X_LOW : Y_LOW + 1] = np.where(lower, right[X_LOW : Y_LOW + 1], left[X_LOW : Y_LOW + 1])
    joined[X_HIGH : Y_HIGH + 1] = np.where(higher, right[X_HIGH : Y_HIGH + 1], left[X_HIGH : Y_HIGH + 1])
    return joined


def _unfold(buckets: Floats, bucket_size: int) -> Points:
    """The points of each bucket in the order in which they came."""
    if bucket_size == 1:
        x, y = buckets[X_FIRST].copy(), buckets[Y_FIRST].copy()
    else:
        low_first = buckets[X_LOW] <= buckets[X_HIGH]
        earlier = np.where(low_first, buckets[X_LOW : Y_LOW + 1], buckets[X_HIGH : Y_HIGH + 1])
        later = np.where(low_first, buckets[X_HIGH : Y_HIGH + 1], buckets[X_LOW : Y_LOW + 1])
        x = np.stack((buckets[X_FIRST], earlier[0], later[0], buckets[X_LAST]), axis=1).ravel()
        y = np.stack((buckets[Y_FIRST], earlier[1], later[1], buckets[Y_LAST]), axis=1).ravel()
    x.flags.writeable = y.flags.writeable = False
    return x, y


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
    """Where the curve enters another column: indices, shape (m,), increasing, the first is 0."""
    if is_sorted:
        borders = np.linspace(x[0], x[-1], columns + 1)[1:-1]
        starts = np.unique(np.append(0, np.searchsorted(x, borders)))
        return starts[starts < x.size]
    low, high = x.min(), x.max()
    column = ((x - low) * (columns / (high - low))).astype(np.int64)
    starts = np.append(0, np.flatnonzero(np.diff(column)) + 1)
    # A curve that jumps to and fro has as many starts as points: join some visits, their extremes stay.
    return starts[:: 1 + starts.size // (MOST_VISITS * columns)]


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
