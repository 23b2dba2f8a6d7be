"""Conversion to arrays of what scripts and data sets hand over."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["IGNORED", "as_array", "as_pixels"]

IGNORED = 255
"""Value of pixels in a mask that count nowhere."""

KNOWN = {"torch.float16", "torch.float32", "torch.float64"}
"""The types of floating-point tensors that NumPy has too."""


def as_array(values: Any) -> np.ndarray:
    """A tensor of any device and precision, or anything that NumPy takes; what NumPy has no type for as float32.

    Raises:
        Exception: whatever `values` trips over when it is asked for an array.
    """
    if hasattr(values, "detach"):
        values = values.detach().cpu().resolve_conj().resolve_neg()
        if values.is_floating_point() and str(values.dtype) not in KNOWN:
            values = values.float()
    return np.asarray(values)


def as_pixels(values: np.ndarray, value_range: tuple[float, float]) -> NDArray[np.uint8]:
    """Return numbers of any shape as bytes: black at the low end of their range, white at the high end."""
    low, high = value_range
    shares = (values.astype(np.float64) - low) / ((high - low) or 1.0)
    pixels: NDArray[np.uint8] = np.rint(255 * shares.clip(0, 1)).astype(np.uint8)
    return pixels
