"""A series that never stops growing, in constant memory; numpy only."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["NO_POINTS", "Floats", "GrowingSeries", "Points"]

Floats = NDArray[np.float64]
Points = tuple[Floats, Floats]
NO_POINTS: Final[Points] = (np.empty(0), np.empty(0))

FIRST_ROOM = 64
"""Buckets that a new series has room for: most curves of most runs are short."""
X_FIRST, Y_FIRST, X_LOW, Y_LOW, X_HIGH, Y_HIGH, X_LAST, Y_LAST, TOTAL, COUNT = range(10)


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
        self._capacity = capacity
        self._buckets = np.empty((COUNT + 1, min(capacity, FIRST_ROOM)))
        self._full = 0
        self._bucket_size = 1
        self._open: list[float] = []
        self._open_size = 0
        self._length = 0
        self._points: Points | None = None

    def __len__(self) -> int:
        """Return the number of points appended."""
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

    def cut(self, x: float) -> None:
        """Take back the points after `x`; a bucket that holds some is taken back whole."""
        kept = int(np.searchsorted(self._buckets[X_LAST, : self._full], x, side="right"))
        if kept == self._full and not (self._open and self._open[X_LAST] > x):
            return
        self._full, self._open, self._open_size, self._points = kept, [], 0, None
        self._length = kept * self._bucket_size

    def stretch(self, factor: float) -> None:
        """Multiply every `x`, as when its unit becomes known."""
        for row in (X_FIRST, X_LOW, X_HIGH, X_LAST):
            self._buckets[row, : self._full] *= factor
            if self._open:
                self._open[row] *= factor
        self._points = None

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
        if self._full == self._capacity:
            self._full //= 2
            self._buckets[:, : self._full] = _join_pairs(self._buckets)
            self._bucket_size *= 2
        elif self._full == self._buckets.shape[1]:
            wider = np.empty((COUNT + 1, min(2 * self._full, self._capacity)))
            wider[:, : self._full] = self._buckets
            self._buckets = wider

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
