"""A number, or the reason why there is none."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Undefined:
    """A quantity that these data do not define, such as the recall of a class without samples.

    ``reason`` is one plain sentence without a full stop.
    """

    reason: str


Value = float | Undefined


def ratio(numerator: Array, denominator: Array) -> Floats:
    """``numerator / denominator`` in float64, NaN where the denominator is zero."""
    numerator, denominator = np.broadcast_arrays(
        np.asarray(numerator, dtype=np.float64), np.asarray(denominator, dtype=np.float64)
    )
    result = np.full(numerator.shape, np.nan)
    np.divide(numerator, denominator, out=result, where=denominator != 0)
    return result


def none_if_nan(value: float) -> float | None:
    """The value as a plain float, None for NaN."""
    return None if np.isnan(value) else float(value)


def members_of(classes: Integers, count: int) -> list[Integers]:
    """Return the positions of the samples of each class from 0 to ``count - 1``, ascending; ``classes`` is (n,)."""
    small = classes.astype(
        np.min_scalar_type(count - 1)
    )  # numpy sorts these by their digits, ten times faster
    ends = np.cumsum(np.bincount(classes, minlength=count))[:-1]
    return np.split(np.argsort(small, kind="stable"), ends)
