"""Images with more than 8 bits a channel: which of their values become black and white."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

__all__ = ["Extremes", "as_bytes", "extremes_of", "joined", "usual_range"]

BIT_DEPTHS = (1, 8, 10, 12, 14, 16)
LIKELY_BYTES = 128
"""Floats up to 255 with one above this are taken for values of 8 bits."""


class Extremes(NamedTuple):
    """Smallest and largest value of an image, and whether all its values are whole numbers."""

    low: float
    high: float
    whole: bool


def extremes_of(values: np.ndarray) -> Extremes:
    """Return the extremes of the values (height, width) of an image.

    Raises:
        ValueError: there are none, or some are NaN or infinite.
    """
    low, high = float(values.min()), float(values.max())
    if not np.isfinite([low, high]).all():
        raise ValueError("it holds NaN or infinite values")
    return Extremes(low, high, values.dtype.kind in "iu" or bool((values % 1 == 0).all()))


def joined(found: Iterable[Extremes]) -> Extremes:
    """Return the extremes of several images, one or more, together."""
    lows, highs, whole = zip(*found, strict=True)
    return Extremes(min(lows), max(highs), all(whole))


def usual_range(found: Extremes) -> tuple[float, float]:
    """Return the values that become black and white: those of the bits in use, 0 to 1, or else the extremes."""
    low, high, whole = found
    if low >= 0 and whole:
        return next(((0.0, 2.0**bits - 1) for bits in BIT_DEPTHS if high < 2**bits), (0.0, high))
    if low >= 0 and high <= 1:
        return 0.0, 1.0
    if low >= 0 and LIKELY_BYTES < high <= 255:
        return 0.0, 255.0
    return (-1.0, 1.0) if low >= -1 and high <= 1 else (low, high)


def as_bytes(values: np.ndarray, value_range: tuple[float, float]) -> np.ndarray:
    """Return values as uint8: `value_range` from 0 to 255, what lies outside of it cut off.

    Whole numbers of 8 bits and more keep their highest 8 bits, others are rounded.
    """
    low, high = value_range
    shares = values.astype(np.float64) - low
    if values.dtype.kind in "iu" and high - low >= 255:
        scaled = np.floor(shares * (256 / (high - low + 1)))
    else:
        scaled = np.rint(shares * (255 / ((high - low) or 1)))
    return scaled.clip(0, 255).astype(np.uint8)
