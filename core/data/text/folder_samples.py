"""From a folder of texts to a data set: listed, read, split, and encoded by the words of train."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from core.data.dataset import Dataset, Progress
from core.data.splits import assemble, divide
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
    parts = _parts(options, np.array([split for split, _ in found.values()]), targets, names)
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
        class_names=names,
        scaling="none",
    )
    return replace(data, ids=True, vocabulary=vocabulary, documents=documents, notes=tuple(notes))


def _parts(
    options: "TextFolder", splits: np.ndarray, targets: np.ndarray, names: tuple[str, ...]
) -> dict[str, np.ndarray]:
    """Positions of each split: those of its own folder, or a part of train."""
    parts = {split: np.flatnonzero(splits == split) for split in ("train", "validation", "test")}
    task, train = task_for(len(names)), parts["train"]
    if not len(parts["test"]):
        train, parts["test"] = (
            train[at]
            for at in divide(
                targets[train],
                options.test,
                task=task,
                seed=options.split_seed,
                field="data.test",
                names=names,
            )
        )
    if options.folds and len(parts["validation"]):
        raise DataError("data.folds: the data has a validation split of its own", "Set it to 0")
    if not len(parts["validation"]):
        train, parts["validation"] = (train[at] for at in options.hold_out(targets[train], task, names))
    return {**parts, "train": train}
