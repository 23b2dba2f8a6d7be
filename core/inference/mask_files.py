"""Predicted masks as PNG files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.errors import InputError
from core.evaluation.segmentation.pictures import class_colour
from core.evaluation.values import Array

__all__ = ["write_masks"]


def write_masks(ids: Sequence[str], masks: Array, folder: Path) -> int:
    """Write a PNG for each mask, whose values are class numbers and whose palette shows them; return how many.

    Args:
        ids: names of the samples; a mask is called as its image, with the ending ``.png``.
        masks: uint8 (n, height, width).
        folder: is made where it is not there.

    Raises:
        InputError: a file cannot be written, or two would have the same name.
    """
    from PIL import Image

    palette = [value for number in range(256) for value in class_colour(number)]
    paths = [folder / Path(name).with_suffix(".png") for name in ids]
    if len({*paths}) < len(paths):
        twice = next(path for at, path in enumerate(paths) if path in paths[:at])
        raise InputError(f"two masks would be written to {twice}", "Predict their folders apart")
    for path, mask in zip(paths, masks, strict=True):
        picture = Image.fromarray(np.ascontiguousarray(mask)).convert("P")
        picture.putpalette(palette)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            picture.save(path)
        except OSError as error:
            raise InputError(
                f"cannot write {path}: {error.strerror or error}", "Give another folder"
            ) from None
    return len(paths)
