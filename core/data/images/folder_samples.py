"""From the decoded images of a folder to a data set: broken ones reported, splits made, rows read or mapped."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from core.data.dataset import Dataset
from core.data.images.folder_cache import Cached
from core.data.images.folder_listing import Listing
from core.data.images.folder_names import SplitName
from core.data.images.folder_tree import shown
from core.data.mapped import MappedRows
from core.data.splits import assemble, divide
from core.errors import DataError
from core.remedies import setting
from core.tasks.registry import task_for

if TYPE_CHECKING:
    from core.data.images.image_folder import ImageFolder

__all__ = ["dataset_of"]

DARK = 64
"""Values of colour images of 16 bits that are all below hold fewer bits, of which hardly any are left."""
MAX_LISTED = 3
"""Broken images that a message names."""


def dataset_of(listing: Listing, cached: Cached, options: "ImageFolder") -> Dataset:
    """Return the data set of a folder.

    Raises:
        DataError: images are broken and `options` do not leave them out, all are of one value, or a class has too few.
    """
    import torch

    if cached.broken and options.on_error == "error":
        raise DataError(
            f"data.path: {len(cached.broken):,} of {len(listing.files):,} images cannot be read: "
            + _list(listing, cached),
            ("Repair or remove them, or leave them out with ", setting("data.on_error", "skip")),
        )
    _check_values(cached, len(listing.files))
    readable = {split: at[~np.isin(at, list(cached.broken))] for split, at in listing.parts.items()}
    parts = _split(listing, readable, options)
    data = assemble(
        name=options.name,
        kind="image",
        inputs=MappedRows(cached.pictures, np.arange(len(listing.files))),
        targets=torch.from_numpy(listing.targets),
        parts=parts,
        class_names=listing.class_names,
        value_range=(0.0, 255.0),
        scaling=options.scaling,
    )
    notes = (*listing.notes, *_notes(listing, cached))
    return replace(data, notes=notes, digest=listing.names_and_sizes, deep_range=cached.value_range)


def _check_values(cached: Cached, count: int) -> None:
    """Refuse images that are all of one value, or dark since only the upper half of their bits was read.

    Raises:
        DataError: the images are so.
    """
    readable = [at for at in range(count) if at not in cached.broken]
    first = cached.pictures[readable[0]].flat[0] if readable else 0
    if readable and all((cached.pictures[at] == first).all() for at in readable):
        raise DataError(
            f"data.path: all images are of the one value {first} when they are read",
            "Look at a few of them; data.value_range says what is black and white in images of more than 8 bits",
        )
    if cached.wide and cached.wide_high < DARK:
        raise DataError(
            f"data.path: {cached.wide:,} colour images of 16 bits hold at most {cached.wide_high} of 255 "
            "when they are read with 8 bits",
            "Save them with 8 bits",
        )


def _notes(listing: Listing, cached: Cached) -> Iterator[str]:
    """Yield a line for each thing found while the images were decoded."""
    if cached.broken:
        yield f"left out {len(cached.broken):,} images that cannot be read: {_list(listing, cached)}"
    if cached.value_range is not None:
        low, high = cached.value_range
        yield (
            f"values: {low:g} to {high:g} become black to white in {cached.deep:,} images of more than 8 bits; "
            "data.value_range sets it"
        )
    if cached.wide:
        yield f"values: of {cached.wide:,} colour images with 16 bits the upper 8 are read"
    if cached.several:
        yield (
            f"{cached.several:,} files hold more than one picture, such as "
            f"{shown(listing.files[cached.first_several])}: the first of each is read"
        )


def _split(
    listing: Listing, parts: dict[SplitName, np.ndarray], options: "ImageFolder"
) -> dict[str, np.ndarray]:
    """Positions of all three splits: those that the source tells apart, the others taken from train."""
    train, names, seed = parts["train"], listing.class_names, options.split_seed
    task = task_for(len(names))
    targets = listing.targets if names else listing.targets[:, 0]
    if "test" not in parts:
        kept, held_out = divide(
            targets[train], options.test, task=task, seed=seed, field="data.test", names=names
        )
        parts["test"], train = train[held_out], train[kept]
    if "validation" not in parts:
        kept, held_out = options.hold_out(targets[train], task, names)
        parts["validation"], train = train[held_out], train[kept]
    elif options.folds:
        raise DataError(
            "data.folds: the data has a validation split of its own", "Set it to 0, or move its images"
        )
    missing = set(range(len(names))) - set(np.unique(targets[train]).tolist())
    if missing:
        raise DataError(
            f"data.path: no image of the class {names[min(missing)]} is left for training",
            "Add some, or remove it",
        )
    return {"train": train, "validation": parts["validation"], "test": parts["test"]}


def _list(listing: Listing, cached: Cached) -> str:
    """The first broken images, each with what is wrong."""
    some = [f"{shown(listing.files[at])} ({why})" for at, why in sorted(cached.broken.items())[:MAX_LISTED]]
    more = len(cached.broken) - len(some)
    return "; ".join(some) + (f"; and {more:,} more" if more else "")
