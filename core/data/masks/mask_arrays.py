"""Masks in arrays: whole numbers of the height and width of the images beside them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from core.arrays import IGNORED
from core.data.arrays.sample_shapes import ArrayShape, Layout, samples_of, shape_text
from core.data.masks.classes import class_values, named, numbered
from core.data.masks.parts import mask_parts
from core.data.splits import assemble
from core.errors import DataError
from core.tasks.registry import MASKS

if TYPE_CHECKING:
    from core.data.arrays.given import Given, Pair
    from core.data.dataset import Dataset

__all__ = ["has_masks", "mask_layout", "masks_of_arrays"]


def has_masks(pair: "Pair") -> bool:
    """Return whether targets are masks: whole numbers, as many as the inputs have pixels in one channel."""
    if not isinstance(pair[0], np.ndarray):  # several inputs
        return False
    inputs, targets = (np.asarray(each) for each in pair)
    if targets.dtype.kind not in "iub" or inputs.ndim not in (3, 4):
        return False
    return mask_layout(inputs.shape, _plain(targets).shape) is not None


def masks_of_arrays(given: "Given", options: Any, name: str, shape: ArrayShape) -> "Dataset":
    """Return the data set of images and masks, checked and split.

    Args:
        options: how to split and scale: `HeldOut` and `ImageOptions`.

    Raises:
        DataError: they do not go together, or hold no classes.
    """
    import torch

    pairs = {
        split: pair
        for split, pair in (("train", given.train), ("validation", given.validation), ("test", given.test))
        if pair is not None
    }
    place = f"data.path: {given.source}"
    layout = mask_layout(np.asarray(given.train[0]).shape, _plain(np.asarray(given.train[1])).shape)
    if shape in ("channels_first", "channels_last"):
        layout = shape
    if layout is None:
        raise DataError(
            f"{place}: {given.names[1]} do not fit {given.names[0]}", "Give a mask for each image"
        )
    images = {
        split: samples_of(np.asarray(inputs), layout, f"{place}, {split}")
        for split, (inputs, _) in pairs.items()
    }
    values = {split: _plain(np.asarray(targets)) for split, (_, targets) in pairs.items()}
    for split in pairs:
        _check_pair(images[split], values[split], f"{place}, {split}")
    notes = list(given.notes)
    classes = class_values(values.values(), IGNORED, given.class_names, notes)
    number = numbered(classes)
    inputs = np.concatenate([*images.values()])
    division = mask_parts(options, _places({split: len(masks) for split, masks in values.items()}))
    data = assemble(
        name=name,
        kind="image",
        inputs=torch.from_numpy(inputs),
        targets=torch.from_numpy(np.concatenate([number(masks) for masks in values.values()])),
        parts=division.parts,
        groups=division.groups,
        weights=division.weights,
        class_names=named(classes, given.class_names),
        task=MASKS,
        value_range=_value_range(inputs, division.parts["train"]),
        scaling=options.scaling,
    )
    return replace(data, notes=(*notes, *division.notes, "targets: masks, a class for each pixel"))


def mask_layout(inputs: tuple[int, ...], masks: tuple[int, ...]) -> Layout | None:
    """Return how images lie whose masks have this shape; None where the shapes do not fit."""
    if len(masks) != 3 or masks[0] != inputs[0] or min(masks[1:]) < 2:
        return None
    if inputs[-2:] == masks[1:]:
        return "channels_first"
    return "channels_last" if len(inputs) == 4 and inputs[1:3] == masks[1:] else None


def _plain(masks: np.ndarray) -> np.ndarray:
    """Masks without a dimension for their one channel."""
    for axis in (1, 3):
        if masks.ndim == 4 and masks.shape[axis] == 1:
            return masks.squeeze(axis)
    return masks


def _places(sizes: Mapping[str, int]) -> dict[str, np.ndarray]:
    """Positions of each split among all samples, one split after the other."""
    ends = np.cumsum([*sizes.values()])
    known = {
        split: np.arange(end - size, end) for (split, size), end in zip(sizes.items(), ends, strict=True)
    }
    return {split: known.get(split, np.arange(0)) for split in ("train", "validation", "test")}


def _check_pair(images: np.ndarray, masks: np.ndarray, place: str) -> None:
    if images.shape[0] != masks.shape[0] or images.shape[2:] != masks.shape[1:]:
        raise DataError(
            f"{place}: images of the shape {shape_text(images)} do not fit masks of {shape_text(masks)}",
            "Give each image a mask of its height and width",
        )


def _value_range(inputs: np.ndarray, train: np.ndarray) -> tuple[float, float]:
    """Return the smallest and largest value that images may have, as those for training tell."""
    low = min((float(inputs[at].min()) for at in train), default=0.0)
    high = max((float(inputs[at].max()) for at in train), default=0.0)
    if inputs.dtype == np.uint8:
        return 0.0, 255.0 if high > 1 else 1.0
    return (0.0, 1.0) if low >= 0 and high <= 1 else (low, high if high > low else low + 1)
