"""Labels from a table, matched to the images that it names."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from core.counting import counted
from core.data.images.file_kinds import is_image
from core.data.images.folder_names import SplitName, split_of
from core.data.images.folder_tree import ImageFile, shown
from core.data.images.label_files import Columns, LabelTable, choose_columns
from core.data.label_cells import find_separator
from core.data.targets import LABELS, AskedTask
from core.errors import DataError
from core.remedies import setting

__all__ = ["Labelled", "file_column", "match_labels"]

PROBED_ROWS = 200
LEAST_FOUND = 0.5
"""Part of the first rows whose images must be there for a column to be taken for names of files."""
JOIN = "\x1f"
"""Separator of labels that stand in columns of their own, as no name of a column has it."""


class Labelled(NamedTuple):
    """An image with its label, or labels in one text, its split where a table says it, and values of other columns."""

    file: ImageFile
    label: str
    split: SplitName | None
    values: tuple[str, ...] = ()


class Matched(NamedTuple):
    """Rows of a table, sorted out.

    Attributes:
        found: images with their labels, by their paths.
        missing: names whose images are not there.
        empty, repeated: number of rows without a label, and of those that say the same again.
    """

    found: dict[str, Labelled]
    missing: list[str]
    empty: int
    repeated: int


class ImageIndex:
    """Images by what a table may call them: with or without folders, with or without an ending.

    Args:
        folder: that the paths of the images are within.
        preferred: path of a folder in it whose images are meant where several have the same name.
    """

    def __init__(self, images: Sequence[ImageFile], folder: str, preferred: str = "") -> None:
        self.folder, self.preferred = folder, preferred
        self._by_name: dict[str, list[ImageFile]] = defaultdict(list)
        for image in images:
            name = image.path.rpartition("/")[2]
            self._by_name[name].append(image)
            self._by_name[name.rpartition(".")[0]].append(image)

    def find(self, value: str) -> ImageFile | None:
        """Return the image that a cell names; the one whose folders agree where several have this name.

        Raises:
            DataError: it names more than one.
        """
        path = PurePosixPath(value.strip().replace("\\", "/"))
        found = self._by_name.get(path.name, [])
        if len(found) < 2:
            return found[0] if found else None
        agreeing = [
            _agreement(path.parts, (*PurePosixPath(self.folder).parts, *PurePosixPath(image.path).parts))
            for image in found
        ]
        best = [image for image, count in zip(found, agreeing, strict=True) if count == max(agreeing)]
        if len(best) > 1 and self.preferred:
            best = [image for image in best if image.path.startswith(f"{self.preferred}/")] or best
        if len(best) > 1:
            raise DataError(
                f"data.images: {value} is the name of both {shown(best[0].path)} and {shown(best[1].path)}",
                "Set data.images to the folder that is meant",
            )
        return best[0]


def _agreement(one: Sequence[str], other: Sequence[str]) -> int:
    """Count the folders above the file that have the same name in both paths."""
    count = 0
    for left, right in zip(reversed(one[:-1]), reversed(other[:-1]), strict=False):
        if left != right:
            break
        count += 1
    return count


def file_column(table: LabelTable, index: ImageIndex) -> int | None:
    """Return the position of the column that names images; None where none does."""
    rows = table.rows[:PROBED_ROWS]
    counts = []
    for place in range(len(table.names)):
        cells = [row[place] for row in rows if place < len(row) and row[place]]
        written = sum(map(is_image, cells))
        counts.append((sum(_is_there(index, cell) for cell in cells), written))
    best = max(range(len(counts)), key=lambda place: counts[place], default=None)
    return best if best is not None and counts[best][0] >= LEAST_FOUND * len(rows) else None


def _with_first_row(table: LabelTable, place: int, index: ImageIndex) -> LabelTable:
    """The table with its first line as a row, where that names an image, too."""
    if table.first_line == 1 or not _is_there(index, table.names[place]):
        return table
    names = [f"column_{number + 1}" for number in range(len(table.names))]
    return LabelTable(table.path, names, [table.names, *table.rows], 1)


def _is_there(index: ImageIndex, value: str) -> bool:
    try:
        return index.find(value) is not None
    except DataError:
        return True


def match_labels(
    table: LabelTable,
    index: ImageIndex,
    target: str | Sequence[str],
    skip_missing: bool,
    notes: list[str],
    task: AskedTask = "auto",
    beside: Sequence[str] = (),
) -> tuple[list[Labelled], str]:
    """Find the image and the label of each row, and what separates several labels of an image; empty for one.

    Args:
        target: the column of labels, or several of them; empty to find it.
        skip_missing: leave out rows whose image is not there.
        notes: takes a line for each thing that was inferred or left out.
        beside: names of columns of the table whose values are wanted, too.

    Raises:
        DataError: no column names images, images are missing, or an image has more than one label.
    """
    name = table.path.name
    place = file_column(table, index)
    if place is None:
        first = table.rows[0][0] if table.rows[0] else ""
        raise DataError(
            f"data.images: no column of {name} names images in {index.folder}; its first row starts with '{first}'",
            "Set data.images to the folder that holds them",
        )
    table = _with_first_row(table, place, index)
    columns = choose_columns(table, place, target, beside, several=task == LABELS)
    if columns.note:
        notes.append(columns.note)
    separator = _separator(table, columns, task)
    found, missing, empty, repeated = _matched(table, index, columns, beside, unlabelled=bool(separator))
    if missing and not skip_missing:
        raise _not_there(missing, table, index)
    _count(
        notes,
        len(missing),
        "row",
        f"of {name} whose images are not there, such as {missing[0] if missing else ''}",
    )
    _count(notes, empty, "row", f"of {name} without a label")
    _count(notes, repeated, "repeated row", f"of {name}")
    notes.append(f"labels: of {len(found):,} images from {name}; file names in {table.names[columns.file]}")
    if separator and separator != JOIN:
        example = next(each.label for each in found.values() if separator in each.label)
        notes.append(
            f"labels: {table.names[columns.labels[0]]} holds several, separated by '{separator}', such as "
            f"'{example}'; data.task=classification takes each text for one class"
        )
    return list(found.values()), separator


def _matched(
    table: LabelTable, index: ImageIndex, columns: Columns, beside: Sequence[str], *, unlabelled: bool
) -> Matched:
    """Find the image and the label of each row.

    Args:
        unlabelled: whether an image may have no label.

    Raises:
        DataError: an image has more than one label.
    """
    wanted = [table.names.index(name) for name in beside]
    found: dict[str, Labelled] = {}
    missing: list[str] = []
    empty = repeated = 0
    for row in table.rows:
        value, label = _cell(row, columns.file), _label(table, row, columns)
        image = index.find(value) if value else None
        if image is None:
            missing.append(value)
            continue
        if not label and not unlabelled:
            empty += 1
            continue
        split = split_of(_cell(row, columns.split)) if columns.split is not None else None
        before = found.get(image.path)
        if before is not None and before.label != label:
            raise DataError(
                f"data.path: {shown(image.path)} is {_shown_label(before.label)} in one row of {table.path.name} and "
                f"{_shown_label(label)} in another",
                "Leave one row for each image",
            )
        repeated += before is not None
        found[image.path] = Labelled(
            image, label, split[0] if split else None, tuple(_cell(row, other) for other in wanted)
        )
    return Matched(found, missing, empty, repeated)


def _not_there(missing: Sequence[str], table: LabelTable, index: ImageIndex) -> DataError:
    return DataError(
        f"data.path: {len(missing):,} of {len(table.rows):,} images in {table.path.name} are not in {index.folder}, "
        f"the first is '{missing[0]}'",
        ("Set data.images to their folder, or leave them out with ", setting("data.on_error", "skip")),
    )


def _cell(row: Sequence[str], place: int) -> str:
    return row[place] if place < len(row) else ""


def _label(table: LabelTable, row: Sequence[str], columns: Columns) -> str:
    if len(columns.labels) == 1:
        return _cell(row, columns.labels[0])
    if columns.several:
        return JOIN.join(table.names[place] for place in columns.labels if float(_cell(row, place)) == 1)
    return next(table.names[place] for place in columns.labels if float(_cell(row, place)) == 1)


def _separator(table: LabelTable, columns: Columns, task: AskedTask) -> str:
    """Return what separates the labels of an image; empty where it has one."""
    if columns.several:
        return JOIN
    if len(columns.labels) > 1 or task not in ("auto", LABELS):
        return ""
    cells = [_cell(row, columns.labels[0]) for row in table.rows]
    found = find_separator(cells, table.names[columns.labels[0]], asked=task == LABELS)
    if found is None and task == LABELS:
        raise DataError(
            f"data.task: {table.names[columns.labels[0]]} of {table.path.name} has no labels such as red|green",
            "Name several columns of zeros and ones with data.target, or leave data.task at auto",
        )
    return found or ""


def _shown_label(label: str) -> str:
    return label.replace(JOIN, "|") or "without a label"


def _count(notes: list[str], count: int, noun: str, which: str) -> None:
    if count:
        notes.append(f"left out {counted(count, noun)} {which}")
