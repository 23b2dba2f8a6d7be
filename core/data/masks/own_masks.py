"""Masks of a user's data set: a class for each pixel of the image that is read with it."""

from collections.abc import Mapping, Sequence

import numpy as np

from core.arrays import IGNORED
from core.data.arrays.sample_shapes import shape_text
from core.data.masks.classes import class_values, numbered
from core.errors import DataError

__all__ = ["are_masks", "classes_of_masks", "compact", "mask_numbers", "template"]


def are_masks(targets: np.ndarray) -> bool:
    """Return whether targets are masks, as they have rows and columns each."""
    return targets.ndim > 2


def compact(targets: np.ndarray) -> np.ndarray:
    """Return masks in as few bytes as their values take; other targets as they are."""
    if not are_masks(targets) or targets.dtype.kind not in "iu" or not targets.size:
        return targets
    low, high = targets.min(), targets.max()
    return targets if low < 0 else targets.astype(np.min_scalar_type(high), copy=False)


def classes_of_masks(
    raw: Mapping[str, np.ndarray], names: Sequence[str], place: str, notes: list[str]
) -> list[int]:
    """Return the values that are classes in the masks of all sets, in ascending order.

    Args:
        names: of the classes, where they are known; `notes` takes a line on what was found.

    Raises:
        DataError: they hold no classes.
    """
    masks = (mask for each in raw.values() for mask in _plain(each, place))
    return class_values(masks, IGNORED, names, notes)


def mask_numbers(raw: np.ndarray, classes: Sequence[int], place: str) -> np.ndarray:
    """Return masks as the user's code gives them as class numbers, uint8 (n, height, width).

    Raises:
        DataError: a pixel has a value that is no class.
    """
    masks, number = _plain(raw, place), numbered(classes)
    numbers = np.empty(masks.shape, np.uint8)
    for at, mask in enumerate(masks):
        numbers[at] = number(mask)
        unknown = (numbers[at] == IGNORED) & (mask != IGNORED)
        if unknown.any() and IGNORED not in range(len(classes)):
            raise DataError(
                f"{place} hold the value {mask[unknown][0]}, which none did when the data set was first read",
                "Resize and turn masks by the nearest pixel, as a mean of two classes is another one",
            )
    return numbers


def template(masks: np.ndarray, classes: int) -> np.ndarray:
    """Return masks of the shape of these that hold each class, uint8 (n, height, width)."""
    _, height, width = masks.shape
    one = np.arange(height * width).reshape(height, width) % classes
    return np.broadcast_to(one.astype(np.uint8), masks.shape)


def _plain(masks: np.ndarray, place: str) -> np.ndarray:
    """Return masks without a dimension for their one channel."""
    for axis in (1, 3):
        if masks.ndim == 4 and masks.shape[axis] == 1:
            masks = masks.squeeze(axis)
    if masks.ndim != 3 or masks.dtype.kind not in "iub":
        raise DataError(
            f"{place} have the shape {shape_text(masks)} and the type {masks.dtype}, and are no masks",
            "Give a class, a number, or a mask: the whole number of a class for each pixel",
        )
    return masks
