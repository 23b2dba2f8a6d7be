"""Masks as pictures: a colour for each class."""

import numpy as np

from core.arrays import IGNORED
from core.evaluation.values import Array
from core.palette import OKABE_ITO, RGB

__all__ = ["class_colour", "coloured", "side_by_side"]

FIRST: RGB = (40, 40, 40)
"""Class 0, which often is the background."""
LEFT_OUT: RGB = (255, 255, 255)
GAP = 2
"""Pixels between pictures."""


def class_colour(number: int) -> RGB:
    """Return the colour of a class; those of many classes come again."""
    return FIRST if number == 0 else OKABE_ITO[(number - 1) % len(OKABE_ITO)]


def coloured(mask: Array) -> Array:
    """Return a mask (height, width) as a picture, uint8 (height, width, 3); white where nothing counts."""
    table = np.array([class_colour(number) for number in range(IGNORED)] + [LEFT_OUT], dtype=np.uint8)
    pixels: Array = table[mask]
    return pixels


def side_by_side(picture: Array, truth: Array, answer: Array) -> Array:
    """Return an image, its mask and the predicted mask in one picture, uint8 (height, width, 3).

    Args:
        picture: uint8 (height, width) or (height, width, 3).
        truth, answer: masks (height, width).
    """
    image = picture if picture.ndim == 3 else np.repeat(picture[:, :, None], 3, axis=2)
    gap = np.zeros((len(image), GAP, 3), dtype=np.uint8)
    return np.concatenate([image, gap, coloured(truth), gap, coloured(answer)], axis=1)
