"""Pictures and texts that a network returns under ``samples``, to be looked at."""

from typing import Any

import numpy as np

from core.arrays import as_array
from core.errors import ModelError
from core.runs.media.pictures import MAX_PICTURES, MAX_SIDE, as_bytes, side_by_side

__all__ = ["Shown", "shown"]

Shown = np.ndarray | str
"""A picture, uint8 (height, width) or (height, width, 3); or a text."""

MAX_TEXT = 100_000
TAKEN = (
    "Give a text, a list of texts, or a picture of shape (height, width), (channels, height, width) or, for several, "
    "(n, channels, height, width), with 1 or 3 channels"
)


def shown(given: Any, where: str) -> Shown | None:
    """Return samples as a picture or a text; None for None.

    Numbers of a picture are bytes from 0 to 255, or go from 0 to 1; others are stretched from their smallest to their
    largest. Several pictures become a grid.

    Args:
        where: the method that returned them, for messages.

    Raises:
        ModelError: they are neither.
    """
    if given is None:
        return None
    if isinstance(given, str):
        return given[:MAX_TEXT]
    if isinstance(given, list | tuple) and given and all(isinstance(line, str) for line in given):
        return "\n".join(given)[:MAX_TEXT]
    try:
        array = as_array(given)
    except Exception as error:  # any object can be asked for an array, and can fail
        raise ModelError(f"{where} returned samples that are no array: {error}", TAKEN) from None
    pictures = (
        array.reshape(1, 1, *array.shape) if array.ndim == 2 else array[None] if array.ndim == 3 else array
    )
    if (
        pictures.ndim != 4
        or pictures.shape[1] not in (1, 3)
        or not pictures.size
        or array.dtype.kind not in "fiub"
    ):
        shape = "x".join(map(str, array.shape)) or "a single value"
        raise ModelError(f"{where} returned samples of the shape {shape} and the type {array.dtype}", TAKEN)
    pixels = as_bytes(pictures[:MAX_PICTURES], {})
    grid = side_by_side(pixels.transpose(0, 2, 3, 1))
    if max(grid.shape[:2]) > MAX_SIDE:
        raise ModelError(
            f"{where} returned a picture of {grid.shape[1]}x{grid.shape[0]}",
            f"The largest side is {MAX_SIDE}",
        )
    return grid
