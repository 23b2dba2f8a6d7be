"""Predicted masks as PNG files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.arrays import IGNORED
from core.data.images.file_kinds import is_image
from core.data.images.pictures import facts_of
from core.errors import InputError
from core.evaluation.segmentation.pictures import class_colour
from core.evaluation.values import Array

__all__ = ["picture_sizes", "restored", "write_masks"]

Size = tuple[int, int]
"""Height and width."""


def picture_sizes(path: Path, ids: Sequence[str]) -> list[Size] | None:
    """Return the size of each picture of a folder, or of one file, as it is shown; None for arrays.

    Args:
        ids: of the samples that were read from the path.
    """
    if not path.is_dir() and not is_image(path.name):
        return None
    folder = path if path.is_dir() else path.parent
    return [facts_of(folder / name)[:2] for name in ids]


def restored(mask: Array, size: Size) -> Array:
    """Return a mask at the size of the picture that was fitted to its own, each pixel the nearest one of the mask.

    What fitting cuts off at two sides of a picture has no prediction, and gets the value that counts nowhere.
    """
    scale = min(size[0] / mask.shape[0], size[1] / mask.shape[1])
    places = [
        np.floor((np.arange(there) + 0.5 - (there - scale * own) / 2) / scale).astype(np.int64)
        for there, own in zip(size, mask.shape, strict=True)
    ]
    inside = [(at >= 0) & (at < own) for at, own in zip(places, mask.shape, strict=True)]
    made = np.full(size, IGNORED, dtype=np.uint8)
    made[np.ix_(*inside)] = mask[np.ix_(*(at[kept] for at, kept in zip(places, inside, strict=True)))]
    return made


def write_masks(ids: Sequence[str], masks: Array, folder: Path, sizes: Sequence[Size] | None = None) -> int:
    """Write a PNG for each mask, whose values are class numbers and whose palette shows them; return how many.

    Args:
        ids: names of the samples; a mask is called as its image, with the ending ``.png``.
        masks: uint8 (n, height, width).
        folder: is made where it is not there.
        sizes: of the pictures; by default masks keep their own.

    Raises:
        InputError: a file cannot be written, or two would have the same name.
    """
    from PIL import Image

    palette = [value for number in range(256) for value in class_colour(number)]
    paths = [folder / Path(name).with_suffix(".png") for name in ids]
    if len({*paths}) < len(paths):
        twice = next(path for at, path in enumerate(paths) if path in paths[:at])
        raise InputError(f"two masks would be written to {twice}", "Predict their folders apart")
    for place, (path, mask) in enumerate(zip(paths, masks, strict=True)):
        made = mask if sizes is None else restored(mask, sizes[place])
        picture = Image.fromarray(np.ascontiguousarray(made)).convert("P")
        picture.putpalette(palette)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            picture.save(path)
        except OSError as error:
            raise InputError(
                f"cannot write {path}: {error.strerror or error}", "Give another folder"
            ) from None
    return len(paths)
