"""Samples of an array: rows of a table, images, signals or tokens, inferred from shape, type and name."""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np

from core.counting import counted
from core.data.arrays.conditioned import fits_float32
from core.data.arrays.held_sequences import JoinedSteps
from core.data.arrays.in_place import in_place
from core.data.images.folder_names import IMAGES, words_of
from core.data.kinds.base import KindName
from core.errors import DataError

__all__ = [
    "SHAPES",
    "ArrayShape",
    "Layout",
    "in_place_of",
    "layout_of",
    "of_type",
    "samples_of",
    "shape_text",
]

Layout = Literal[
    "table", "channels_first", "channels_last", "signal", "signal_channels_last", "tokens", "other"
]
ArrayShape = Literal[
    "auto", "table", "channels_first", "channels_last", "signal", "signal_channels_last", "tokens", "other"
]
SHAPES: Mapping[Layout, KindName] = {
    "table": "table",
    "channels_first": "image",
    "channels_last": "image",
    "signal": "signal",
    "signal_channels_last": "signal",
    "tokens": "tokens",
    "other": "other",
}
"""The kind of the samples of each layout."""
CHANNELS = (1, 2, 3, 4)
"""Sizes of a dimension that are taken for the channels of an image."""
GENERAL = ("input", "inputs", "original", "originals")
"""Words that mean images beside folders of masks, and anything as the name of an array."""
SIGNALS = re.compile(
    "signals?|series|waves?|waveforms?|sensors?|ecgs?|eegs?|emgs?|audio|accelerations?|windows"
)
TOKENS = re.compile("tokens?|ids")
"""Words in the name of an array that say what it holds."""
LONGER = 2
"""Time has at least this many times as many steps as a signal has channels, where nothing else tells them apart."""
PIXEL_TYPES = (np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(np.bool_))
MIN_PIXELS, MAX_PIXEL_RATIO = 5, 8
"""Least height and width, and largest ratio of both, of grey images whose values have the type of pixels."""
MIN_SIZE, MAX_RATIO = 16, 2
"""The same of grey images of other numbers that are not square."""
NUMBERS_AT_ONCE = 2**22
"""That are looked at together."""
LARGEST_WHOLE = 2.0**53
"""Whole numbers from here on are not all told apart by float64."""


def layout_of(array: np.ndarray, shape: ArrayShape, name: str, place: str, notes: list[str]) -> Layout:
    """Return how the samples of an array lie, as asked for or inferred.

    Args:
        name: of the array, which may say what it holds.
        place: where it stands, for messages.
        notes: takes a line where samples were taken for something else than rows of a table.

    Raises:
        DataError: it does not hold numbers, or what a sample is is not clear.
    """
    if array.dtype.kind not in "fiub":
        raise DataError(f"{place} {of_type(array)}, not numbers", in_place_of(array))
    if array.ndim == 0 or array.size == 0:
        raise DataError(
            f"{place} holds no samples: its shape is {shape_text(array)}", "Give one row a sample"
        )
    if shape != "auto":
        return shape
    if array.ndim <= 2:
        if array.ndim < 2 or array.dtype.kind not in "iu" or not any(map(TOKENS.fullmatch, words_of(name))):
            return "table"
        notes.append(
            f"inputs: sequences of {array.shape[1]} tokens, by the name {name}; data.shape=table takes them for numbers"
        )
        return "tokens"
    layout = _inferred(array, name, place)
    if SHAPES[layout] == "signal":
        last = layout == "signal_channels_last"
        steps, channels = array.shape[1:] if last else array.shape[:0:-1]
        other = "signal" if last else "signal_channels_last"
        notes.append(
            f"inputs: signals of {counted(channels, 'channel')} x {steps} steps, "
            f"by the shape of {name}, {shape_text(array)}; "
            f"data.shape={other} takes the other dimension for time, channels_first takes grey images"
        )
        return layout
    channels, height, width = _as_images(array, layout, place).shape[1:]
    notes.append(
        f"inputs: images of {channels} x {height} x {width} (channels x height x width), by the shape of {name}; "
        "data.shape sets it"
    )
    return layout


def samples_of(
    array: np.ndarray, layout: Layout, place: str, *, owned: bool = False, later: bool = False
) -> Any:
    """Return inputs as (n, *sample_shape): of images uint8 or float32, of tokens int64, of others float32 or float64.

    Args:
        layout: how they lie.
        place: where they stand, for messages.
        owned: nothing else uses the array, whose memory may be taken for them.
        later: samples of a large array that would need a second one are made when they are asked for.

    Raises:
        DataError: they do not lie so, or are not finite.
    """
    if array.dtype.kind == "f":
        _check_finite(array, place)
    kind = SHAPES[layout]
    changed = partial(in_place, owned=owned, later=later)
    if kind == "table":
        rows = array.reshape(len(array), -1)
        return changed(rows, lambda some: some, _type_of_table(rows, place))
    if kind == "tokens":
        _check_tokens(array, place)
        return changed(array, lambda some: some, np.int64)
    if kind == "image":
        _as_images(array, layout, place)
        dtype = np.uint8 if array.dtype in (np.uint8, np.bool_) else np.float32
        return changed(array, lambda some: _as_images(some, layout, place), dtype)
    if kind == "signal":
        _check_float32(_as_signals(array, layout, place), place)
        return changed(array, lambda some: _as_signals(some, layout, place), np.float32)
    _check_float32(array, place)
    return changed(array, lambda some: some, np.float32)


def of_type(array: "np.ndarray | JoinedSteps") -> str:
    """Return what an array holds, for messages: ``is of type datetime64[D]``."""
    return "holds texts" if array.dtype.kind in "US" else f"is of type {array.dtype}"


def in_place_of(array: "np.ndarray | JoinedSteps") -> str:
    """Return what to give where an array does not hold numbers."""
    if array.dtype.kind in "US":
        return "Texts are read from a table, such as a CSV file, or a folder of text files; or give ids of their words"
    if array.dtype.kind in "mM":
        return "Give a number, such as the days since a date: astype('datetime64[D]').astype(float)"
    return "Give numbers, such as float32 or uint8"


def _check_finite(array: np.ndarray, place: str) -> None:
    """Check that no number is NaN or infinite, some samples at a time.

    Raises:
        DataError: one is.
    """
    size = max(1, NUMBERS_AT_ONCE // max(1, array[:1].size))
    pieces = [array[start : start + size] for start in range(0, len(array), size)]
    with np.errstate(
        all="ignore"
    ):  # a sum that is finite has no other terms, and takes a quarter of the time
        if all(np.isfinite(_sum(piece)) for piece in pieces):
            return
    finite = [np.isfinite(piece.reshape(len(piece), -1)).all(axis=1) for piece in pieces]
    rows = np.flatnonzero(~np.concatenate(finite))
    if len(rows):
        raise DataError(
            f"{place} has NaN or infinite values in {counted(len(rows), 'sample')}, first in sample {rows[0]}",
            "Fill them, or leave these samples out",
        )


def _sum(piece: np.ndarray) -> float:
    """Return the sum of numbers: PyTorch's takes a tenth of the time of NumPy's."""
    import torch

    is_plain = piece.flags.c_contiguous and piece.flags.writeable and piece.dtype in (np.float32, np.float64)
    return float(torch.from_numpy(piece).sum() if is_plain else piece.sum())


def _inferred(array: np.ndarray, name: str, place: str) -> Layout:
    """The layout of samples of two dimensions or more."""
    words = [word for word in words_of(name) if word not in GENERAL]
    if array.ndim == 3:
        named = any(map(SIGNALS.fullmatch, words))
        if not named and _are_grey_images(array, words):
            return "channels_first"
        one, other = array.shape[1:]
        if max(one, other) >= LONGER * min(one, other):
            return "signal" if other > one else "signal_channels_last"
        raise DataError(
            f"{place} has the shape {shape_text(array)}, which may be grey images or series of several channels",
            "Set data.shape to signal for channels x time, to signal_channels_last for time x channels, to "
            "channels_first for grey images, or to table to take each sample as one row",
        )
    if array.ndim != 4:
        raise DataError(
            f"{place} has the shape {shape_text(array)}, which is neither a table nor images",
            "Set data.shape to table to take each sample as one row, or to other to take it as it is",
        )
    layout = _channels(*array.shape[1:])
    if layout is None:
        raise DataError(
            f"{place} has the shape {shape_text(array)}, which may be volumes or images of many channels",
            "Set data.shape to channels_first or channels_last for images, to table to take each sample as one row, or "
            "to other to take it as it is",
        )
    return layout


def _check_tokens(array: np.ndarray, place: str) -> None:
    """Check that an array holds ids (n, length).

    Raises:
        DataError: it does not.
    """
    if array.ndim != 2 or array.dtype.kind not in "iu":
        raise DataError(
            f"{place} has the shape {shape_text(array)} and the type {array.dtype}: tokens are whole numbers, a row a "
            "sample",
            "Give integers of the shape samples x length",
        )
    if array.min() < 0:
        row = int(np.flatnonzero((array < 0).any(axis=1))[0])
        raise DataError(
            f"{place} has negative ids, first in sample {row}",
            "Give ids from 0 on; data.padding names one that fills",
        )


def _as_signals(array: np.ndarray, layout: Layout, place: str) -> np.ndarray:
    """Signals (n, channels, time), of the array's own type."""
    if array.ndim == 2:
        return array[:, None]
    if array.ndim != 3:
        raise DataError(
            f"{place} has the shape {shape_text(array)}: signals have channels and time",
            "Give an array of the shape samples x channels x time",
        )
    return array.transpose(0, 2, 1) if layout == "signal_channels_last" else array


def _check_float32(values: np.ndarray, place: str) -> None:
    """Check that float32 does not lose what tells the values of a channel apart.

    Raises:
        DataError: it does.
    """
    if values.dtype.kind in "iu" or values.dtype.itemsize > 4:
        coarse = np.flatnonzero(~fits_float32(np.moveaxis(values, 1, -1)))
        if len(coarse):
            raise DataError(
                f"{place}, channel {coarse[0] + 1} has values around {values[:, coarse[0]].mean():.6g} that differ "
                "by less than float32 can hold",
                "Subtract a constant from that channel first",
            )


def _type_of_table(rows: np.ndarray, place: str) -> type[np.generic]:
    """Return the type of rows (n, features): float32, or float64 where that loses digits of some column."""
    if rows.dtype.kind in "iu" and rows.dtype.itemsize == 8:
        _check_whole(rows, place)
    wide = rows.dtype.itemsize > 4 or (rows.dtype.kind in "iu" and rows.dtype.itemsize == 4)
    return np.float64 if wide and not fits_float32(rows).all() else np.float32


def _check_whole(rows: np.ndarray, place: str) -> None:
    """Make sure that float64 tells whole numbers apart."""
    if not rows.size or max(abs(float(rows.min())), abs(float(rows.max()))) < LARGEST_WHOLE:
        return
    exact = rows.astype(np.float64)
    columns = np.flatnonzero((exact.astype(rows.dtype) != rows).any(axis=0))
    if len(columns):
        raise DataError(
            f"{place}, column {columns[0] + 1} has values around {exact[:, columns[0]].mean():.6g} that differ by "
            "less than float64 can hold",
            "Subtract a constant from that column first",
        )


def _as_images(array: np.ndarray, layout: Layout, place: str) -> np.ndarray:
    """Images (n, channels, height, width), of the array's own type."""
    if array.ndim == 3:
        return array[:, None]
    if array.ndim != 4:
        raise DataError(
            f"{place} has the shape {shape_text(array)}, which is not that of images",
            "Set data.shape to table to take each sample as one row, or to other to take it as it is",
        )
    return array.transpose(0, 3, 1, 2) if layout == "channels_last" else array


def _are_grey_images(array: np.ndarray, words: Sequence[str]) -> bool:
    """Return whether samples (height, width) are images, not series: by name, type of pixels, or proportions."""
    short, long = sorted(array.shape[1:])
    if any(map(IMAGES.fullmatch, words)) or short == long > 1:
        return True
    if array.dtype in PIXEL_TYPES:
        return bool(short >= MIN_PIXELS and long <= MAX_PIXEL_RATIO * short)
    return bool(short >= MIN_SIZE and long <= MAX_RATIO * short)


def _channels(one: int, other: int, last: int) -> Layout | None:
    """Return the dimension of channels; where first and last could be, a square decides. None if neither is."""
    if last in CHANNELS and (one not in CHANNELS or one == other != last):
        return "channels_last"
    if one in CHANNELS or other == last != one:
        return "channels_first"
    return "channels_last" if one == other != last else None


def shape_text(array: np.ndarray) -> str:
    """Return a shape as text, such as 60x28x28."""
    return "x".join(map(str, array.shape)) or "a single number"
