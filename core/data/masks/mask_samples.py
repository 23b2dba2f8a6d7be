"""From images and masks to a data set: sizes, values, splits."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median_low
from typing import TYPE_CHECKING

import numpy as np

from core.data.dataset import Dataset, Progress
from core.data.images.decoding import sums_of
from core.data.images.folder_stream import PictureReader
from core.data.images.folder_survey import moments_of
from core.data.images.pictures import facts_of, read_picture, reason
from core.data.masks.classes import class_values, named, numbered
from core.data.masks.mask_files import MaskedImage, list_pairs, read_mask, size_of_mask
from core.data.masks.parts import mask_parts
from core.data.splits import assemble
from core.data.stream.loader import workers_of
from core.data.stream.rows import StreamedRows
from core.errors import DataError
from core.machine import memory
from core.tasks.registry import MASKS

if TYPE_CHECKING:
    from core.data.masks.mask_folder import MaskFolder

__all__ = ["load_masks"]

MAX_SIZE = 256
"""Height and width in pixels that are not exceeded unless asked for."""
SPARE = 2
"""Bytes of memory for each byte of samples: some are copied while they are divided."""
MASK_BYTES = 2
"""Of a pixel, until it is known which values are classes."""
TOLD_EVERY = 64


def load_masks(options: "MaskFolder", folder: Path, progress: Progress) -> Dataset:
    """Return the data set of a folder of images and masks.

    Raises:
        DataError: files cannot be read, do not belong together, or hold no classes.
    """
    import torch

    notes: list[str] = []
    pairs = list_pairs(folder, notes)
    size, grey = _form(pairs, options)
    why = _why_streamed(options, folder, size, grey, len(pairs))
    notes += [why] if why else []
    shape = (1 if grey else 3, *size)
    pictures = np.empty((0 if why else len(pairs), *shape), dtype=np.uint8)
    sums = np.zeros((len(pairs), 2, shape[0]), np.int64)
    values = np.empty((len(pairs), *size), dtype=np.uint16)
    for at, pair in enumerate(pairs):
        if at % TOLD_EVERY == 0:
            progress(f"reading {folder.name}", at, len(pairs))
        picture, values[at] = _read(pair, size, grey)
        if why:
            sums[at] = sums_of(picture)
        else:
            pictures[at] = picture
    classes = class_values(values, options.ignore, options.classes, notes)
    masks = np.empty(values.shape, dtype=np.uint8)
    number = numbered(classes)
    for at, mask in enumerate(values):
        masks[at] = number(mask)
    notes.append(f"images: {size[0]}x{size[1]}, {'grey' if grey else 'colour'}; data.size sets it")
    division = mask_parts(options, _told(pairs), [pair.image.name for pair in pairs])
    data = assemble(
        name=options.name,
        kind="image",
        inputs=_streamed(options, folder, pairs, shape) if why else torch.from_numpy(pictures),
        targets=torch.from_numpy(masks),
        parts=division.parts,
        groups=division.groups,
        weights=division.weights,
        class_names=named(classes, options.classes),
        task=MASKS,
        value_range=(0.0, 255.0),
        scaling=options.scaling,
        moments=moments_of(sums[division.parts["train"]], size) if why else None,
    )
    return replace(data, notes=(*notes, *division.notes))


def _why_streamed(
    options: "MaskFolder", folder: Path, size: tuple[int, int], grey: bool, samples: int
) -> str:
    """Return in a sentence why images are streamed; empty where they go into memory.

    Raises:
        DataError: there is too little memory for images, or for masks alone.
    """
    pixels, free = samples * size[0] * size[1], memory().available
    whole, masks = (SPARE * pixels * (bytes_each + MASK_BYTES) for bytes_each in (1 if grey else 3, 0))
    if options.feed == "stream":
        why = f"{folder.name} is streamed, as data.feed says: images are decoded anew in each epoch"
    elif options.feed == "auto" and whole > free:
        why = (
            f"{folder.name} is streamed: its images take {whole / SPARE / 2**30:.1f} GiB of memory, and "
            f"{free / 2**30:.1f} GiB are free"
        )
    else:
        why = ""
    needed = masks if why else whole
    if needed > free:
        raise DataError(
            f"data.path: the {'masks' if why else 'images and masks'} take {needed / SPARE / 2**30:.1f} GiB of memory, "
            f"{free / 2**30:.1f} are free",
            "Give a smaller data.size",
        )
    return why


def _streamed(
    options: "MaskFolder", folder: Path, pairs: Sequence[MaskedImage], shape: tuple[int, int, int]
) -> StreamedRows:
    """Return the images, to be decoded while a network trains; their masks stay in memory."""
    import torch

    files = [str(pair.image.relative_to(folder)) for pair in pairs]
    return StreamedRows(
        reader=PictureReader(folder, files, shape, None),
        rows=np.arange(len(pairs)),
        example=torch.zeros((1, *shape), dtype=torch.uint8),
        workers=workers_of(options),
    )


def _form(pairs: Sequence[MaskedImage], options: "MaskFolder") -> tuple[tuple[int, int], bool]:
    """Height and width to bring images to, and whether they are grey."""
    facts = []
    for pair in pairs:
        try:
            height, width, grey = facts_of(pair.image)
            mask = size_of_mask(pair.mask)
        except Exception as error:  # Pillow raises whatever it trips over in a damaged file
            raise DataError(
                f"data.path: {pair.image.name} or its mask cannot be read: {reason(error)}",
                "Repair or remove them",
            ) from None
        if mask != (height, width):
            raise DataError(
                f"data.path: {pair.image.name} has {height}x{width} pixels, and its mask {mask[0]}x{mask[1]}",
                "An image and its mask have the same size",
            )
        facts.append((height, width, grey))
    grey = all(each for _, _, each in facts) if options.colour == "auto" else options.colour == "grey"
    height, width = (min(MAX_SIZE, median_low(sizes)) for sizes in list(zip(*facts, strict=True))[:2])
    return (options.size or height, options.size or width), grey


def _read(pair: MaskedImage, size: tuple[int, int], grey: bool) -> tuple[np.ndarray, np.ndarray]:
    try:
        return read_picture(pair.image, size, grey=grey).pixels, read_mask(pair.mask, size)
    except DataError:
        raise
    except Exception as error:  # Pillow raises whatever it trips over in a damaged file
        raise DataError(
            f"data.path: {pair.image.name} or its mask cannot be read: {reason(error)}",
            "Repair or remove them",
        ) from None


def _told(pairs: Sequence[MaskedImage]) -> dict[str, np.ndarray]:
    """Positions of the splits that the folders tell; without any all are for training."""
    return {
        split: np.array(
            [at for at, pair in enumerate(pairs) if (pair.split or "train") == split], dtype=np.int64
        )
        for split in ("train", "validation", "test")
    }
