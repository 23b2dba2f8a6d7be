"""Samples of an array: rows of a table or images, inferred from shape, type and name."""

from typing import Literal

import numpy as np

from core.data.arrays.conditioned import fits_float32
from core.data.images.folder_names import IMAGES, words_of
from core.errors import DataError

__all__ = ["ArrayShape", "samples_of", "shape_text"]

ArrayShape = Literal["auto", "table", "channels_first", "channels_last"]
CHANNELS = (1, 2, 3, 4)
"""Sizes of a dimension that are taken for the channels of an image."""
GENERAL = ("input", "inputs", "original", "originals")
"""Words that mean images beside folders of masks, and anything as the name of an array."""
PIXEL_TYPES = (np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(np.bool_))
MIN_PIXELS, MAX_PIXEL_RATIO = 5, 8
"""Least height and width, and largest ratio of both, of grey images whose values have the type of pixels."""
MIN_SIZE, MAX_RATIO = 16, 2
"""The same of grey images of other numbers that are not square."""
LARGEST_WHOLE = 2.0**53
"""Whole numbers from here on are not all told apart by float64."""


def samples_of(array: np.ndarray, shape: ArrayShape, name: str, place: str, notes: list[str]) -> np.ndarray:
    """Return inputs as (n, features) float32 or float64, or (n, channels, height, width) uint8 or float32.

    Args:
        name: of the array, which may say that it holds images.
        place: where it stands, for messages.
        notes: takes a line where samples were taken for images.

    Raises:
        DataError: it does not hold finite numbers, or what a sample is is not clear.
    """
    if array.dtype.kind not in "fiub":
        raise DataError(
            f"{place} is of type {array.dtype}, not numbers", "Give numbers, such as float32 or uint8"
        )
    if array.ndim == 0 or array.size == 0:
        raise DataError(
            f"{place} holds no samples: its shape is {shape_text(array)}", "Give one row a sample"
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        rows = np.flatnonzero(~np.isfinite(array.reshape(len(array), -1)).all(axis=1))
        raise DataError(
            f"{place} has NaN or infinite values in {len(rows):,} samples, first in sample {rows[0]}",
            "Fill them, or leave these samples out",
        )
    if shape == "table" or (shape == "auto" and array.ndim <= 2):
        return _as_table(array.reshape(len(array), -1), place)
    images = _as_images(array, shape, name, place)
    if shape == "auto":
        channels, height, width = images.shape[1:]
        notes.append(
            f"inputs: images of {channels} x {height} x {width} (channels x height x width), by the shape of {name}; "
            "data.shape sets it"
        )
    dtype = np.uint8 if array.dtype in (np.uint8, np.bool_) else np.float32
    return np.ascontiguousarray(images, dtype=dtype)


def _as_table(rows: np.ndarray, place: str) -> np.ndarray:
    """Rows (n, features) as float32, or as float64 where that loses digits of some column."""
    if rows.dtype.kind in "iu" and rows.dtype.itemsize == 8:
        _check_whole(rows, place)
    wide = rows.dtype.itemsize > 4 or (rows.dtype.kind in "iu" and rows.dtype.itemsize == 4)
    if wide and not fits_float32(rows).all():
        return np.ascontiguousarray(rows, dtype=np.float64)
    return np.ascontiguousarray(rows, dtype=np.float32)


def _check_whole(rows: np.ndarray, place: str) -> None:
    """Make sure that float64 tells whole numbers apart."""
    exact = rows.astype(np.float64)
    coarse = (exact.astype(rows.dtype) != rows).any(axis=0) if np.abs(exact).max() >= LARGEST_WHOLE else []
    columns = np.flatnonzero(coarse)
    if len(columns):
        raise DataError(
            f"{place}, column {columns[0] + 1} has values around {exact[:, columns[0]].mean():.6g} that differ by "
            "less than float64 can hold",
            "Subtract a constant from that column first",
        )


def _as_images(array: np.ndarray, shape: ArrayShape, name: str, place: str) -> np.ndarray:
    """Images (n, channels, height, width), of the array's own type."""
    if array.ndim == 3:
        if shape == "auto" and not _are_grey_images(array, name):
            raise DataError(
                f"{place} has the shape {shape_text(array)}, which may be grey images or series of several channels",
                "Set data.shape to channels_first for grey images, or to table to take each sample as one row",
            )
        return array[:, None]
    if array.ndim != 4:
        raise DataError(
            f"{place} has the shape {shape_text(array)}, which is neither a table nor images",
            "Set data.shape to table to take each sample as one row",
        )
    layout = shape if shape != "auto" else _channels(*array.shape[1:])
    if layout is None:
        raise DataError(
            f"{place} has the shape {shape_text(array)}, which may be volumes or images of many channels",
            "Set data.shape to channels_first or channels_last for images, or to table to take each sample as one row",
        )
    return array.transpose(0, 3, 1, 2) if layout == "channels_last" else array


def _are_grey_images(array: np.ndarray, name: str) -> bool:
    """Return whether samples (height, width) are images, not series: by name, type of pixels, or proportions."""
    short, long = sorted(array.shape[1:])
    words = [word for word in words_of(name) if word not in GENERAL]
    if any(map(IMAGES.fullmatch, words)) or short == long > 1:
        return True
    if array.dtype in PIXEL_TYPES:
        return bool(short >= MIN_PIXELS and long <= MAX_PIXEL_RATIO * short)
    return bool(short >= MIN_SIZE and long <= MAX_RATIO * short)


def _channels(one: int, other: int, last: int) -> ArrayShape | None:
    """Return the dimension of channels; where first and last could be, a square decides. None if neither is."""
    if last in CHANNELS and (one not in CHANNELS or one == other != last):
        return "channels_last"
    if one in CHANNELS or other == last != one:
        return "channels_first"
    return "channels_last" if one == other != last else None


def shape_text(array: np.ndarray) -> str:
    """Return a shape as text, such as 60x28x28."""
    return "x".join(map(str, array.shape)) or "a single number"
