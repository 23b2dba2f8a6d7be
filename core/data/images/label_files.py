"""A table of file names and labels beside images: read, and its columns told apart."""

import csv
import io
import os
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from core.data.images.file_kinds import ENDINGS, ending_of, is_image, is_litter
from core.data.images.folder_names import split_of, words_of
from core.errors import DataError
from core.files.reading import open_regular, read_text

__all__ = [
    "LABEL_FILES",
    "Columns",
    "LabelTable",
    "choose_columns",
    "is_image_source",
    "is_label_file",
    "read_label_file",
]

LABEL_FILES = (".csv", ".tsv", ".txt")
SEPARATORS = ",;\t|"
PEEK_BYTES = 1 << 16
PEEK_ROWS = 12
MAX_PEEK_ROWS = 1000
MAX_PEEK_FOLDERS = 64
MAX_PEEK_FILES = 20_000
MIN_IMAGES = 5
"""Images in a folder with tables that are more than illustrations."""
MAX_CELL = 1 << 24
MAX_TABLE_BYTES = 1 << 30
LABEL_WORDS = re.compile(
    "labels?|class|classes|target|category|species|breed|y|diagnosis|type|emotion|expression|标签|类别|clase|classe|klasse"
)
SPLIT_COLUMNS = re.compile("split|set|subset|partition|usage|phase|datasplit")
FILE_WORDS = {"id", "image", "images", "img", "file", "filename", "name", "photo", "picture", "path", "key"}
FLAGS = ("0", "1", "0.0", "1.0")
LEAST_THERE = 0.9
"""Part of the first rows whose images are there in a table of file names."""


class LabelTable(NamedTuple):
    """The cells of a table as texts; `first_line` is the line in the file of the first row."""

    path: Path
    names: list[str]
    rows: list[list[str]]
    first_line: int


class Columns(NamedTuple):
    """Positions of the columns: names of files, labels, and the split where there is one.

    Attributes:
        labels: one column, or the columns of a one-hot code or of several labels, which `several` says.
        note: how they were chosen; empty where there was no choice.
    """

    file: int
    labels: list[int]
    split: int | None
    note: str
    several: bool = False


def is_label_file(text: str) -> bool:
    """Return whether a path leads to a table that names images which lie beside it; reads its first rows only."""
    path = Path(text).expanduser()
    if ending_of(path.name) not in LABEL_FILES or not path.is_file():
        return False
    try:
        with open_regular(path, follow_links=True) as file:
            head = file.read(PEEK_BYTES)
        whole = head if len(head) < PEEK_BYTES else head[: head.rfind(b"\n")]
        table = _parsed(path, whole.decode("utf-8-sig"), MAX_PEEK_ROWS + 1)
        folders = [path.parent, *_folders_in(path.parent)]
    except (OSError, UnicodeDecodeError, DataError):
        return False
    rows = [table.names, *table.rows] if table.first_line == 1 else table.rows
    columns = range(len(table.names)) if len(table.names) > 1 and table.rows else ()
    return any(
        _names_images(
            table.names[column], [row[column] for row in rows[1:] or rows if column < len(row)], folders
        )
        for column in columns
    )


def is_image_source(folder: Path) -> bool:
    """Return whether a folder is for images although tables may lie in it: it holds several, or a table names them.

    Looks at a bounded number of files.
    """
    found, seen = 0, 0
    for _, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not is_litter(name))
        found += sum(is_image(name) for name in files if not is_litter(name))
        seen += len(files) + len(folders)
        if found >= MIN_IMAGES or seen > MAX_PEEK_FILES:
            break
    if not 0 < found < MIN_IMAGES:
        return found > 0
    return any(is_label_file(str(path)) for path in sorted(folder.glob("*"))[:MAX_PEEK_FOLDERS])


def _folders_in(folder: Path) -> list[Path]:
    """The folders in one, and the folders in these that are called the same or hold images by their name."""
    with os.scandir(folder) as entries:
        found = [Path(entry.path) for entry in entries if entry.is_dir() and not is_litter(entry.name)]
    found = sorted(found)[:MAX_PEEK_FOLDERS]
    return found + [
        inner / name for inner in found for name in (inner.name, "images") if (inner / name).is_dir()
    ]


def _names_images(column: str, values: Sequence[str], folders: Sequence[Path]) -> bool:
    """Return whether nearly all values of a column name images in these folders.

    Numbers do so by chance where images are numbered: they must differ in all rows, in a column called like an id.
    """
    if not values or len(set(values)) < len(values) / 2:
        return False
    first = values[:PEEK_ROWS]
    there = sum(any(_exists(folder, value) for folder in folders) for value in first)
    if there < LEAST_THERE * len(first):
        return False
    numbered = all(value.strip().isdecimal() for value in first)
    return not numbered or (len(set(values)) == len(values) and bool(FILE_WORDS & set(words_of(column))))


def _exists(folder: Path, value: str) -> bool:
    name = value.strip().replace("\\", "/").lstrip("/")
    if not name or "\0" in name or ".." in PurePosixPath(name).parts:
        return False
    if is_image(name):
        return (folder / name).is_file() or (folder / PurePosixPath(name).name).is_file()
    return len(name) < 200 and any((folder / f"{name}{ending}").is_file() for ending in ENDINGS)


def read_label_file(path: Path) -> LabelTable:
    """Read a table of texts: separated by commas, semicolons, tabs or bars, or in a .txt file by blanks.

    Raises:
        DataError: it cannot be read, or has no rows.
    """
    try:
        text = read_text(path, encoding="utf-8-sig", follow_links=True, limit=MAX_TABLE_BYTES)
    except OSError as error:
        raise DataError(f"data.path: cannot read {path}: {error.strerror}", "Give another file") from None
    except UnicodeDecodeError:
        raise DataError(f"data.path: {path.name} is not UTF-8 text", "Save it as UTF-8") from None
    table = _parsed(path, text, None)
    if not table.rows:
        raise DataError(f"data.path: {path.name} has no rows", "Give a row for each image")
    return table


def _parsed(path: Path, text: str, most: int | None) -> LabelTable:
    first = text.lstrip("\r\n").partition("\n")[0]
    separator = max(SEPARATORS, key=first.count)
    csv.field_size_limit(MAX_CELL)
    lines: Iterator[list[str]]
    if separator in first:
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    else:
        lines = (line.split() for line in text.splitlines())
    try:
        rows = [[cell.strip() for cell in row] for row in islice((row for row in lines if any(row)), most)]
    except csv.Error as error:
        raise DataError(
            f"data.path: {path.name} cannot be read as a table: {error}", "Save it as CSV"
        ) from None
    headed = bool(rows) and not any(map(is_image, rows[0]))
    names = rows.pop(0) if headed else [f"column_{place + 1}" for place in range(len(rows[0]) if rows else 0)]
    return LabelTable(path, names, rows, 2 if headed else 1)


def choose_columns(
    table: LabelTable,
    file_column: int,
    target: str | Sequence[str],
    beside: Sequence[str] = (),
    *,
    several: bool = False,
) -> Columns:
    """Choose the columns of labels and of splits.

    Args:
        file_column: position of the column that names files.
        target: name of the column of labels, or names of several of zeros and ones; empty to find it.
        beside: names of columns that splits are made by, which hold neither.
        several: several labels are asked for, also where each image has one.

    Raises:
        DataError: there is none, or more than one.
    """
    names, name = table.names, table.path.name
    others = [
        place
        for place in range(len(names))
        if place != file_column and names[place] not in beside and not _is_counter(table, place)
    ]
    split = next((place for place in others if _is_split(table, place)), None)
    others = [place for place in others if place != split]
    listed = ", ".join(names[place] for place in others[:8]) + (" ..." if len(others) > 8 else "")
    if target:
        given = [target] if isinstance(target, str) else [*target]
        for each in given:
            if each not in names or names.index(each) == file_column:
                raise DataError(f"data.target: {name} has no column '{each}' of labels", f"It has {listed}")
        columns = [names.index(each) for each in given]
        if len(columns) > 1:
            _check_flags(table, columns)
        return Columns(file_column, columns, split, "", several=len(columns) > 1)
    if not others:
        raise DataError(
            f"data.path: {name} has no column of labels beside {names[file_column]}",
            "Give a table with labels",
        )
    if len(others) == 1:
        return Columns(file_column, others, split, "")
    known = [place for place in others if any(map(LABEL_WORDS.fullmatch, words_of(names[place])))]
    exact = [place for place in known if LABEL_WORDS.fullmatch(names[place].strip().lower())]
    chosen = exact if len(exact) == 1 else known
    if len(chosen) == 1:
        note = f"labels: from {names[chosen[0]]} of {listed}, by its name; data.target names another column"
        return Columns(file_column, chosen, split, note)
    flags = [[row[place] if place < len(row) else "" for place in others] for row in table.rows]
    if all(cell in FLAGS for row in flags for cell in row):
        if not several and all(sum(float(cell) for cell in row) == 1 for row in flags):
            note = f"labels: one column a class, {listed}; data.task=multilabel takes them for labels"
            return Columns(file_column, others, split, note)
        note = f"labels: {len(others)} columns of zeros and ones, any of which may hold: {listed}; "
        return Columns(
            file_column, others, split, f"{note}data.target names one to learn alone", several=True
        )
    raise DataError(
        f"data.target: which column of {name} holds the labels? It has {listed}",
        f"Set data.target to one of these, such as {names[others[-1]]}",
    )


def _check_flags(table: LabelTable, columns: Sequence[int]) -> None:
    """Make sure that columns hold zeros and ones.

    Raises:
        DataError: one holds something else.
    """
    for line, row in enumerate(table.rows, start=table.first_line):
        for place in columns:
            cell = row[place] if place < len(row) else ""
            if cell not in FLAGS:
                raise DataError(
                    f"data.target: {table.names[place]} is '{cell}' in line {line} of {table.path.name}, "
                    "and several labels are 0 or 1",
                    "Fill it, or name one column",
                )


def _is_counter(table: LabelTable, place: int) -> bool:
    """Return whether a column without a name, or called id or index, only numbers the rows."""
    if table.names[place].strip().lower() not in ("", "id", "index", "idx", "unnamed: 0"):
        return False
    cells = [row[place] for row in table.rows if place < len(row)]
    return len(set(cells)) == len(table.rows)


def _is_split(table: LabelTable, place: int) -> bool:
    """Return whether a column says which split a row belongs to."""
    if not SPLIT_COLUMNS.fullmatch("".join(words_of(table.names[place]))):
        return False
    values = {row[place] for row in table.rows if place < len(row)}
    return len(values) > 1 and all(split_of(value) for value in values)
