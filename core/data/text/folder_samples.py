"""From a folder of texts to a data set: listed, read, split, and encoded by the words of train."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from core.data.dataset import Dataset, Progress
from core.data.division.facts import division_notes
from core.data.division.files import SampleNames
from core.data.division.parts import Division
from core.data.division.read import read_split_by
from core.data.splits import assemble
from core.data.targets import in_class_order
from core.data.text.documents import read_documents, text_files
from core.data.text.folder import parted
from core.data.text.vocabulary import learn
from core.errors import DataError
from core.tasks.registry import task_for

if TYPE_CHECKING:
    from core.data.text.folder import TextFolder

__all__ = ["load_folder"]


def load_folder(options: "TextFolder", progress: Progress) -> Dataset:
    """Return the data set of a folder.

    Raises:
        DataError: it holds no texts, or fewer than two classes, or a file cannot be read.
    """
    folder = Path(options.path).expanduser()
    if not folder.is_dir():
        raise DataError(f"data.path: {folder} is not a folder", "Give a folder with a folder for each class")
    listed = text_files(folder)
    found = parted(listed) if listed else {}
    files = list(found)
    names = tuple(in_class_order({label for _, label in found.values()}))
    if len(names) < 2:
        raise DataError(
            f"data.path: {folder} has text files of {len(names)} classes",
            "Give each of two classes or more a folder",
        )
    progress(f"reading {len(files):,} texts", 0, 0)
    texts, documents, notes = read_documents(folder, files, options.encoding)
    places = {label: place for place, label in enumerate(names)}
    targets = np.array([places[label] for _, label in found.values()], dtype=np.int64)
    divided = _divided(options, np.array([split for split, _ in found.values()]), files, targets, names)
    parts = divided.parts
    notes += divided.notes
    if len(files) < len(listed):
        notes.append(f"skipped {len(listed) - len(files):,} text files that lie in no folder of a class")
    vocabulary = learn(
        [texts[at] for at in parts["train"]],
        options.token,
        min_count=options.min_count,
        max_words=options.max_words,
        max_length=options.max_length,
        notes=notes,
    )
    data = assemble(
        name=options.name,
        kind="text",
        inputs=torch.from_numpy(vocabulary.encode(texts)[0]),
        targets=torch.from_numpy(targets),
        parts=parts,
        groups=divided.groups,
        weights=divided.weights,
        class_names=names,
        scaling="none",
    )
    return replace(data, ids=True, vocabulary=vocabulary, documents=documents, notes=tuple(notes))


def _divided(
    options: "TextFolder",
    splits: np.ndarray,
    files: Sequence[str],
    targets: np.ndarray,
    names: tuple[str, ...],
) -> Division:
    """Positions of each split: those of its own folder, or a part of train."""
    told = {split: np.flatnonzero(splits == split) for split in ("train", "validation", "test")}
    train = told["train"]
    own = {split: bool(len(told[split])) for split in ("validation", "test")}
    if options.folds and own["validation"]:
        raise DataError("data.folds: the data has a validation split of its own", "Set it to 0")
    paths = np.array([Path(files[at]).as_posix() for at in train.tolist()], dtype=object)
    ids = {"paths": paths, "file names": np.array([Path(path).name for path in paths], dtype=object)}
    by = read_split_by(options, SampleNames(len(train), ids))
    found = options.parts(
        targets[train],
        task_for(len(names)),
        names,
        by,
        own_test=own["test"],
        own_validation=own["validation"],
    )
    parts = {split: told[split] if own.get(split) else train[found[split]] for split in told}
    groups = by.groups.codes if by.groups is not None and not any(own.values()) else None
    weights = by.weights if not any(own.values()) else None
    return Division(parts, groups, weights, tuple(division_notes(options, by, found)))
