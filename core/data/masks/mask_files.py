"""Folders of images beside folders of masks: which belong together, and their pixels."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from core.counting import counted
from core.data.images.file_kinds import is_image
from core.data.images.folder_names import SplitName, names_masks, split_of
from core.errors import DataError
from core.files.reading import open_regular

__all__ = ["MaskedImage", "has_masks", "list_pairs", "read_mask", "size_of_mask"]

SHOWN = 3
MODES = frozenset({"1", "L", "P", "I", "I;16", "I;16B", "I;16L"})
"""Pictures with one number a pixel: grey levels, or places in a palette."""


class MaskedImage(NamedTuple):
    """An image and its mask. The split is empty where the folders tell none."""

    split: SplitName | None
    image: Path
    mask: Path


def has_masks(folder: Path) -> bool:
    """Return whether a folder, or each of its folders of a split, holds a folder of images beside one of masks."""
    return bool(list(_folders(folder)))


def list_pairs(folder: Path, notes: list[str]) -> list[MaskedImage]:
    """Return the images of a folder with their masks, of equal names apart from the ending, sorted by name.

    Args:
        notes: takes a line for images without a mask.

    Raises:
        DataError: there are none, or two files of a folder have the same name apart from the ending.
    """
    pairs: list[MaskedImage] = []
    alone: list[str] = []
    for split, images, masks in _folders(folder):
        by_stem = _by_stem(masks)
        for stem, image in _by_stem(images).items():
            if stem in by_stem:
                pairs.append(MaskedImage(split, image, by_stem[stem]))
            else:
                alone.append(image.name)
    if not pairs:
        raise DataError(
            f"data.path: no image in {folder} has a mask",
            "Give a folder images beside a folder masks, with files of equal names such as a.jpg and a.png",
        )
    if alone:
        more = f" and {len(alone) - SHOWN:,} more" if len(alone) > SHOWN else ""
        notes.append(
            f"left out {counted(len(alone), 'image')} without a mask: {', '.join(alone[:SHOWN])}{more}"
        )
    return pairs


def size_of_mask(path: Path) -> tuple[int, int]:
    """Return the height and width of a mask, from the header of its file."""
    from PIL import Image

    with open_regular(path, follow_links=True) as file, Image.open(file) as image:
        return image.height, image.width


def read_mask(path: Path, size: tuple[int, int]) -> np.ndarray:
    """Return the numbers (height, width) in a mask, cut and scaled as its image is, but without mixing values.

    Args:
        size: (height, width).

    Raises:
        DataError: it has colours in place of numbers.
        Exception: whatever Pillow raises for a damaged file.
    """
    from PIL import Image, ImageOps

    with open_regular(path, follow_links=True) as file, Image.open(file) as image:
        if image.mode not in MODES:
            raise DataError(
                f"data.path: the mask {path.name} is a picture of mode {image.mode}, which holds colours",
                "Save masks as PNG with a palette or with grey levels, whose numbers are the classes",
            )
        picture: Image.Image = image
        if (image.height, image.width) != size:
            picture = ImageOps.fit(image, (size[1], size[0]), Image.Resampling.NEAREST)
        return np.asarray(picture).astype(np.int64)


def _folders(folder: Path) -> Iterator[tuple[SplitName | None, Path, Path]]:
    """Yield split, images and masks of each pair of folders: in the folder itself, or in its folders of splits."""
    inside = [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
    found = _beside(inside)
    if found:
        images, masks = found
        splits = {path.name: split_of(path.name) for path in images.iterdir() if path.is_dir()}
        if splits and all(meant and not meant[1] for meant in splits.values()):
            for name, meant in sorted(splits.items()):
                if meant and (masks / name).is_dir():
                    yield meant[0], images / name, masks / name
        else:
            yield None, images, masks
        return
    for path in sorted(inside):
        meant, found = split_of(path.name), _beside([each for each in path.iterdir() if each.is_dir()])
        if meant and not meant[1] and found:
            yield meant[0], *found


def _beside(folders: list[Path]) -> tuple[Path, Path] | None:
    """The folder of images and that of masks among some, if there is one of each."""
    names = [path.name for path in folders]
    masks = [path for path in folders if names_masks(path.name, names)]
    images = [path for path in folders if path not in masks]
    return (images[0], masks[0]) if len(masks) == len(images) == 1 else None


def _by_stem(folder: Path) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if not path.is_file() or path.name.startswith(".") or not is_image(path.name):
            continue
        if path.stem in files:
            raise DataError(
                f"data.path: {files[path.stem].name} and {path.name} in {folder} have the same name",
                "Leave one of them out: images and masks belong together by name",
            )
        files[path.stem] = path
    return files
