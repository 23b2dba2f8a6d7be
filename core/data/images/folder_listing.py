"""Images of a folder with their labels: by folders, by a table of labels, or by names of files."""

import hashlib
import os
import posixpath
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from core.counting import counted
from core.data.images.file_kinds import ending_of
from core.data.images.folder_advice import explain, refuse_file
from core.data.images.folder_layout import NoClasses, Part, find_parts, find_splits, listed
from core.data.images.folder_names import SplitName, split_of, words_of
from core.data.images.folder_tree import ImageFile, Node, named, scan, shown
from core.data.images.label_files import LABEL_FILES, read_label_file
from core.data.images.label_match import ImageIndex, Labelled, file_column, match_labels
from core.data.images.name_pattern import label_pattern
from core.data.label_cells import label_columns
from core.data.targets import class_or_number
from core.errors import DataError
from core.tasks.multilabel import Multilabel
from core.tasks.registry import task_for

if TYPE_CHECKING:
    from core.data.images.image_folder import ImageFolder

__all__ = ["Listing", "list_images", "named"]

SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")
MASK_OF = re.compile(
    r"^(?P<image>.+?)[ _-]?(mask|seg|segmentation|gt|groundtruth)([ _-]?\d+)?$", re.IGNORECASE
)
"""Names of masks that lie beside their images."""


@dataclass(frozen=True, eq=False)
class Listing:
    """The images of a data set.

    Attributes:
        files: (n) paths within `folder`.
        targets: (n,) int64 positions in `class_names`, (n, 1) float32 numbers where there are no classes, or
            (n, labels) uint8 zeros and ones.
        parts: positions of the images of each split that the source tells apart; else all of them as ``train``.
        digest: changes when files come, go, or change their size or time.
        names_and_sizes: a digest of these alone, which a copy of the folder shares.
        notes: what was inferred and left out, a line each.
        columns: texts (n,) of the columns of a table of labels that splits are made by.
    """

    folder: Path
    files: list[str]
    targets: np.ndarray
    class_names: tuple[str, ...]
    task: str
    parts: dict[SplitName, np.ndarray]
    digest: str
    names_and_sizes: str
    notes: tuple[str, ...]
    columns: Mapping[str, np.ndarray] = field(default_factory=dict)


class Sample(NamedTuple):
    """An image with its split and its label, or labels in one text, and values of a table that splits are made by."""

    split: SplitName
    label: str
    file: ImageFile
    values: Mapping[str, str] = {}


def list_images(options: "ImageFolder") -> Listing:
    """List the images of a source.

    Raises:
        DataError: there are none, or what they are is not clear.
    """
    path = Path(options.path).expanduser()
    if path.is_file() and ending_of(path.name) in LABEL_FILES:
        folder = _images_folder(options.images, path)
        tree, notes = scan(folder)
        samples, separator = _from_table(path, folder, tree, options, notes)
        return _listing(folder, samples, (), options, notes, separator)
    if path.is_file():
        raise refuse_file(path)
    if options.images and not path.exists():
        raise DataError(f"data.path: {path} not found", "Give the table of file names and labels")
    if options.images:
        raise DataError(
            "data.images: goes with a table of file names and labels, and data.path is a folder",
            "Give the table as data.path",
        )
    tree, notes = scan(path)
    if options.pattern:
        return _listing(path, _from_names(path, tree, options.pattern, notes), (), options, notes)
    try:
        parts = find_parts(tree, options.layout, notes)
    except NoClasses as error:
        table = _table_beside(path, tree)
        if table is None:
            raise explain(path, tree, f"{path / error.path} {error.found}") from None
        notes.append(
            f"labels: from {table.name}, since the folders are not classes; data.path can name another table"
        )
        samples, separator = _from_table(table, path, tree, options, notes)
        return _listing(path, samples, (), options, notes, separator)
    samples = [Sample(part.split, part.label, file) for part in parts for file in _without_masks(part, notes)]
    _note_left_out(parts, tree, notes)
    classes = list(dict.fromkeys(part.label for part in parts if part.split == "train"))
    return _listing(path, samples, classes, options, notes)


def _from_table(
    table: Path, folder: Path, tree: Node, options: "ImageFolder", notes: list[str]
) -> tuple[list[Sample], str]:
    """The samples that a table labels, and what separates several labels; those without a split are for training."""
    split = split_of(table.stem)
    preferred = next((name for name in tree.folders if split and split_of(name) == split), "")
    index = ImageIndex(list(tree.images()), str(folder.resolve()), preferred)
    read = read_label_file(table)
    beside = [
        name
        for name in dict.fromkeys((options.group, options.time, options.split, options.weight))
        if name in read.names
    ]
    skip = options.on_error == "skip"
    found, separator = match_labels(read, index, options.target, skip, notes, options.task, beside)
    total = sum(1 for _ in tree.images())
    if len(found) < total:
        notes.append(f"left out {counted(total - len(found), 'image')} without a row in {table.name}")
    splits = {labelled.split for labelled in found}
    if splits != {None} and "train" not in splits:
        raise DataError(f"data.path: {table.name} has no row of the train split", "Call it train")
    samples = [
        Sample(each.split or "train", each.label, each.file, dict(zip(beside, each.values, strict=True)))
        for each in _in_order(found)
    ]
    return samples, separator


def _in_order(found: Sequence[Labelled]) -> list[Labelled]:
    return sorted(found, key=lambda labelled: (SPLITS.index(labelled.split or "train"), labelled.file.path))


def _from_names(folder: Path, tree: Node, pattern: str, notes: list[str]) -> list[Sample]:
    """The samples whose names match a pattern; the folders may be splits."""
    expression = label_pattern(pattern)
    splits = find_splits(tree, notes) or {"train": tree}
    samples, unmatched = [], []
    for split, node in splits.items():
        for file in node.images():
            match = expression.fullmatch(PurePath(file.path).stem)
            if match:
                samples.append(Sample(split, match["label"], file))
            else:
                unmatched.append(file.path)
    if not samples:
        example = f", such as {shown(unmatched[0])}" if unmatched else ""
        raise DataError(
            f"data.pattern: '{pattern}' matches no image in {folder}{example}", "It holds {class}"
        )
    if unmatched:
        notes.append(
            f"left out {counted(len(unmatched), 'image')} that data.pattern does not match: {listed(unmatched, 3)}"
        )
    return samples


def _listing(
    folder: Path,
    samples: Sequence[Sample],
    classes: Sequence[str],
    options: "ImageFolder",
    notes: list[str],
    separator: str = "",
) -> Listing:
    """The listing of samples.

    Args:
        classes: in their order, where folders name them; else what the labels are is inferred.
        separator: of several labels of an image.
    """
    labels = [sample.label for sample in samples]
    if classes:
        places = {label: place for place, label in enumerate(classes)}
        targets, names = (
            np.array([places[label] for label in labels], dtype=np.int64),
            tuple(map(named, classes)),
        )
    elif separator:
        targets, names = label_columns(labels, separator)
    else:
        targets, names = class_or_number(labels, options.task, "data.target", notes)
    digest, names_and_sizes = hashlib.sha256(), hashlib.sha256()
    for file in (sample.file for sample in samples):
        digest.update(os.fsencode(f"{file.path}\0{file.size}\0{file.time}\0"))
        names_and_sizes.update(os.fsencode(f"{file.path}\0{file.size}\0"))
    of_split = np.array([SPLITS.index(sample.split) for sample in samples])
    parts = {split: np.flatnonzero(of_split == place) for place, split in enumerate(SPLITS)}
    return Listing(
        folder=folder,
        files=[sample.file.path for sample in samples],
        targets=targets,
        class_names=names,
        task=Multilabel.name if separator else task_for(len(names)),
        parts={split: at for split, at in parts.items() if len(at)},
        digest=digest.hexdigest(),
        names_and_sizes=names_and_sizes.hexdigest(),
        notes=tuple(notes),
        columns={
            name: np.array([sample.values[name] for sample in samples], dtype=object)
            for name in (samples[0].values if samples else ())
        },
    )


def _images_folder(asked: str, table: Path) -> Path:
    """The folder of the images that a table names: as asked for, also seen from the table; else the table's own."""
    if not asked:
        return table.parent
    given = Path(asked).expanduser()
    folder = given if given.is_dir() or given.is_absolute() else table.parent / given
    if not folder.is_dir():
        raise DataError(f"data.images: {asked} is not a folder", "Give the folder that holds the images")
    return folder


def _table_beside(folder: Path, tree: Node) -> Path | None:
    """The table that labels the images of a folder; None where there is none, or more than one could."""
    index = ImageIndex(list(tree.images()), str(folder.resolve()))
    found = []
    for node in tree.walk():
        for name in node.others:
            named_like = ending_of(name) in LABEL_FILES and not {"submission", "test"} & set(words_of(name))
            if named_like and node.path.count("/") < 2 and _labels(folder / node.path / name, index):
                found.append(folder / node.path / name)
    best = [path for path in found if "train" in words_of(path.name)] or found
    return best[0] if len(best) == 1 else None


def _labels(path: Path, index: ImageIndex) -> bool:
    """Return whether a file is a table of file names and something beside."""
    try:
        table = read_label_file(path)
    except DataError:
        return False
    return len(table.names) > 1 and file_column(table, index) is not None


def _without_masks(part: Part, notes: list[str]) -> list[ImageFile]:
    """The images of a class, without masks that lie beside them, such as 1_mask.png beside 1.png."""
    files = list(part.folder.images())
    stems = {file.path.rpartition(".")[0] for file in files}
    masks = {
        file
        for file in files
        if (match := MASK_OF.match(posixpath.splitext(posixpath.basename(file.path))[0]))
        and f"{file.path.rpartition('/')[0]}/{match['image']}" in stems
    }
    if masks:
        first = min(masks).path
        notes.append(
            f"left out {counted(len(masks), 'mask')} beside the images of {shown(part.label)}, by their names, "
            f"such as {shown(first)}"
        )
    return [file for file in files if file not in masks]


def _note_left_out(parts: Sequence[Part], tree: Node, notes: list[str]) -> None:
    """Note images beside the folders of classes, and files that are not images."""
    parents = {part.folder.path.rpartition("/")[0] for part in parts}
    for node in tree.walk():
        if node.path in parents and node.loose:
            where = f" in {shown(node.path)}" if node.path else ""
            notes.append(
                f"left out {counted(len(node.loose), 'image that lies', 'images that lie')} beside the classes{where}"
            )
    tables = [name for name in tree.others if ending_of(name) in (".csv", ".tsv")]
    if tables:
        notes.append(f"not used: {listed(tables)}; give one as data.path to take labels from it")
    alike = Counter(label.casefold().strip() for label in {part.label for part in parts})
    twice = [part.label for part in parts if alike[part.label.casefold().strip()] > 1]
    if twice:
        notes.append(
            f"classes that differ by upper and lower case or blanks alone: {listed(dict.fromkeys(twice))}"
        )
    others = [f"{node.path}/{name}" for part in parts for node in part.folder.walk() for name in node.others]
    if others:
        which = counted(len(others), "file that is not an image", "files that are not images")
        notes.append(f"left out {which}, the first is {shown(min(others))}")
