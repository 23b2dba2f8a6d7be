"""From the decoded images of a folder to a data set: broken ones reported, splits made, rows read or mapped."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from core.counting import counted
from core.data.dataset import Dataset
from core.data.division.by import ColumnValues, SplitBy
from core.data.division.facts import division_notes
from core.data.division.files import SampleNames
from core.data.division.read import read_split_by
from core.data.images.decoding_job import DecodingFacts
from core.data.images.folder_listing import Listing
from core.data.images.folder_names import SplitName
from core.data.images.folder_survey import Survey
from core.data.images.folder_tree import shown
from core.data.splits import assemble
from core.errors import DataError
from core.remedies import setting

if TYPE_CHECKING:
    from core.data.images.folder_cache import Cached
    from core.data.images.image_folder import ImageFolder

__all__ = ["dataset_of"]

DARK = 64
"""Values of colour images of 16 bits that are all below hold fewer bits, of which hardly any are left."""
MAX_LISTED = 3
"""Broken images that a message names."""


def dataset_of(listing: Listing, found: "Cached | Survey", options: "ImageFolder", inputs: Any) -> Dataset:
    """Return the data set of a folder.

    Args:
        inputs: the rows of all images, mapped or streamed.

    Raises:
        DataError: images are broken and `options` do not leave them out, all are of one value, or a class has too few.
    """
    import torch

    facts = found.facts
    if facts.broken and options.on_error == "error":
        raise DataError(
            f"data.path: {len(facts.broken):,} of {len(listing.files):,} images cannot be read: "
            + _list(listing, facts),
            ("Repair or remove them, or leave them out with ", setting("data.on_error", "skip")),
        )
    _check_values(found, len(listing.files))
    readable = {split: at[~np.isin(at, list(facts.broken))] for split, at in listing.parts.items()}
    by = _split_by(listing, options)
    parts = _split(listing, readable, options, by)
    data = assemble(
        name=options.name,
        kind="image",
        inputs=inputs,
        targets=torch.from_numpy(listing.targets),
        parts=parts,
        groups=None if by.groups is None else by.groups.codes,
        weights=by.weights,
        class_names=listing.class_names,
        task=listing.task,
        value_range=(0.0, 255.0),
        scaling=options.scaling,
        moments=found.moments(parts["train"]) if isinstance(found, Survey) else None,
    )
    notes = (*listing.notes, *division_notes(options, by, parts), *_notes(listing, facts))
    return replace(data, notes=notes, digest=listing.names_and_sizes, deep_range=facts.value_range)


def _check_values(found: "Cached | Survey", count: int) -> None:
    """Refuse images that are all of one value, or dark since only the upper half of their bits was read.

    Raises:
        DataError: the images are so.
    """
    facts = found.facts
    readable = np.setdiff1d(np.arange(count), list(facts.broken))
    value = found.only_value(readable) if len(readable) else None
    if value is not None:
        raise DataError(
            f"data.path: all images are of the one value {value} when they are read",
            "Look at a few of them; data.value_range says what is black and white in images of more than 8 bits",
        )
    if facts.wide and facts.wide_high < DARK:
        raise DataError(
            f"data.path: {facts.wide:,} colour images of 16 bits hold at most {facts.wide_high} of 255 "
            "when they are read with 8 bits",
            "Save them with 8 bits",
        )


def _notes(listing: Listing, facts: DecodingFacts) -> Iterator[str]:
    """Yield a line for each thing found while the images were decoded."""
    if facts.broken:
        yield f"left out {counted(len(facts.broken), 'image')} that cannot be read: {_list(listing, facts)}"
    if facts.value_range is not None:
        low, high = facts.value_range
        yield (
            f"values: {low:g} to {high:g} become black to white in {counted(facts.deep, 'image')} of more than 8 bits; "
            "data.value_range sets it"
        )
    if facts.wide:
        yield f"values: of {facts.wide:,} colour images with 16 bits the upper 8 are read"
    if facts.several:
        yield (
            f"{counted(facts.several, 'file holds', 'files hold')} more than one picture, such as "
            f"{shown(listing.files[facts.first_several])}: the first of each is read"
        )


def _split_by(listing: Listing, options: "ImageFolder") -> SplitBy:
    """Read what splits are made by: columns of the table of labels, files, or expressions that match paths."""
    paths = np.array([file.replace("\\", "/") for file in listing.files], dtype=object)

    def column(field: str, name: str) -> ColumnValues | None:
        if name in listing.columns:
            return ColumnValues(listing.columns[name])
        return ColumnValues(_in_paths(field, name, paths)) if "(" in name else None

    names = np.array([path.rpartition("/")[2] for path in paths], dtype=object)
    stems = np.array([name.rpartition(".")[0] for name in names], dtype=object)
    ids = {"paths": paths, "file names": names, "file names without ending": stems}
    return read_split_by(options, SampleNames(len(paths), ids), column, tuple(listing.columns))


def _in_paths(field: str, expression: str, paths: np.ndarray) -> np.ndarray:
    """The text that the first group of a regular expression finds in each path.

    Raises:
        DataError: it is none, or does not match every path.
    """
    example = "Such as patient(\\d+) for patient12_3.png, or ^([^/]+)/ for the first folder"
    try:
        compiled = re.compile(expression)
    except re.error as error:
        raise DataError(
            f"data.{field}: '{expression}' is not a regular expression: {error}", example
        ) from None
    found = [compiled.search(path) for path in paths]
    lost = [path for path, match in zip(paths, found, strict=True) if match is None]
    if lost or not compiled.groups:
        why = (
            f"matches no part of {len(lost):,} of {len(paths):,} images, such as {shown(lost[0])}"
            if lost
            else "has no group"
        )
        raise DataError(f"data.{field}: '{expression}' {why}", example)
    return np.array([match[1] for match in found if match is not None], dtype=object)


def _split(
    listing: Listing, parts: dict[SplitName, np.ndarray], options: "ImageFolder", by: SplitBy
) -> dict[str, np.ndarray]:
    """Positions of all three splits: those that the source tells apart, the others taken from train."""
    train, names = parts["train"], listing.class_names
    task = listing.task
    targets = listing.targets if names else listing.targets[:, 0]
    if "validation" in parts and options.folds:
        raise DataError(
            "data.folds: the data has a validation split of its own", "Set it to 0, or move its images"
        )
    made = options.parts(
        targets[train],
        task,
        names,
        by.at(train),
        own_test="test" in parts,
        own_validation="validation" in parts,
    )
    divided: dict[str, np.ndarray] = {name: train[at] for name, at in made.items()}
    divided |= {name: at for name, at in parts.items() if name != "train"}
    train = divided["train"]
    present = np.flatnonzero(targets[train].any(axis=0)) if targets.ndim == 2 else np.unique(targets[train])
    missing = set(range(len(names))) - set(present.tolist())
    if missing:
        raise DataError(
            f"data.path: no image of the class {names[min(missing)]} is left for training",
            "Add some, or remove it",
        )
    return divided


def _list(listing: Listing, facts: DecodingFacts) -> str:
    """The first broken images, each with what is wrong."""
    some = [f"{shown(listing.files[at])} ({why})" for at, why in sorted(facts.broken.items())[:MAX_LISTED]]
    more = len(facts.broken) - len(some)
    return "; ".join(some) + (f"; and {more:,} more" if more else "")
