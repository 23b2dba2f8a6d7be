"""Splits of images with masks: by chance, by groups or as given; an image has no class of its own."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.data.division.facts import division_notes
from core.data.division.files import SampleNames
from core.data.division.parts import Division
from core.data.division.read import read_split_by
from core.errors import DataError
from core.tasks.registry import MASKS

if TYPE_CHECKING:
    from core.data.options import HeldOut

__all__ = ["mask_parts"]


def mask_parts(options: "HeldOut", told: Mapping[str, np.ndarray], names: Sequence[str] = ()) -> Division:
    """Return the positions of the three splits; those that the source does not tell are taken from train.

    Args:
        told: positions of each split, which may be empty.
        names: of the files of all images, where they come from files.

    Raises:
        DataError: a side is left without images, or two settings contradict each other.
    """
    train = told["train"]
    own = {split: bool(len(told[split])) for split in ("validation", "test")}
    if options.folds and own["validation"]:
        raise DataError("data.folds: the data has a validation split of its own", "Set it to 0")
    files = np.array(names, dtype=object)[train] if names else None
    ids = {} if files is None else {"file names": files, "file names without ending": _stems(files)}
    by = read_split_by(options, SampleNames(len(train), ids))
    found = options.parts(train, MASKS, (), by, own_test=own["test"], own_validation=own["validation"])
    parts = {
        split: told[split] if own.get(split) else train[found[split]]
        for split in ("train", "validation", "test")
    }
    groups = by.groups.codes if by.groups is not None and not any(own.values()) else None
    weights = by.weights if not any(own.values()) else None
    return Division(parts, groups, weights, tuple(division_notes(options, by, found)))


def _stems(files: np.ndarray) -> np.ndarray:
    return np.array([name.rpartition(".")[0] for name in files], dtype=object)
