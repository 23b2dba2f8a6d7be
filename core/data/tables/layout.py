"""How a text file of a table is written: separator, quotes, line ends, encoding; and in which line it breaks that."""

import csv
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import DataError
from core.remedies import setting

__all__ = ["Layout", "column_names", "decoded", "examine", "line_of", "quoted", "ragged_line", "stray_quote"]

SEPARATORS = (",", ";", "\t", "|")
HEAD_BYTES = 1 << 16
PIECE_BYTES = 1 << 24
"""Bytes of a file that are looked at together."""
FIELD_CHARACTERS = 1 << 24
MAX_CHARACTERS = 60
ARCHIVES = {b"PK\x03\x04": "an Excel or zip file", b"PAR1": "a Parquet file", b"\x1f\x8b": "a gzip file"}


@dataclass(frozen=True)
class Layout:
    """How a text file is written."""

    separator: str
    encoding: str
    header: bool
    line_end: str


def quoted(text: object) -> str:
    """A text of the file for a message, cut if it is long."""
    shown = str(text)
    return f"'{shown if len(shown) <= MAX_CHARACTERS else shown[: MAX_CHARACTERS - 1] + '…'}'"


def examine(path: Path, separator: str, encoding: str, header: bool) -> Layout:
    """Look at the beginning of a file.

    Raises:
        DataError: it is not text, or not in this encoding.
    """
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}", "Give another file") from None
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    for start, kind in ARCHIVES.items():
        if head.startswith(start):
            raise DataError(
                f"{path.name} is {kind}, not a text file", "Save it as CSV; Parquet ends in .parquet"
            )
    if b"\x00" in head and encoding != "utf-16":
        place = head.index(b"\x00")
        raise DataError(
            f"{path.name} is not a text file: it has a zero byte at {place:,}",
            "Give a CSV, TSV or Parquet file",
        )
    text = head.decode(encoding, errors="replace")
    if not text.strip("\ufeff \t\r\n"):
        raise DataError(f"{path.name} is empty", "Its first line names the columns, the others are rows")
    line_end = "\r" if "\r" in text and "\n" not in text else "\n"
    if separator == "auto":
        first = re.sub(r'"[^"]*"', "", text.lstrip("\ufeff\r\n").partition(line_end)[0])
        separator = max(SEPARATORS, key=first.count)
    return Layout(separator, encoding, header, line_end)


def column_names(path: Path, layout: Layout) -> tuple[str, ...]:
    """The names in the first line, or numbered ones; a column without a name is numbered too.

    Raises:
        DataError: the file is not in its encoding.
    """
    first = next((row for _, row in _rows(path, layout)), [])
    given = [name.strip() for name in first] if layout.header else [""] * len(first)
    return tuple(name or f"column_{place}" for place, name in enumerate(given, start=1))


def decoded(path: Path, layout: Layout) -> str:
    """The whole text.

    Raises:
        DataError: the file is not in its encoding.
    """
    try:
        return path.read_bytes().decode(layout.encoding).removeprefix("\ufeff")
    except UnicodeError as error:
        raise _not_in_encoding(path, layout, error) from None


def line_of(path: Path, layout: Layout, row: int) -> int:
    """The line, from 1, in which a row begins; rows count from 0, empty lines as rows."""
    lines = (line for line, _ in _rows(path, layout))
    return next(itertools.islice(lines, row + layout.header, None), 0)


def ragged_line(path: Path, layout: Layout, columns: int) -> tuple[int, list[str]] | None:
    """The first line whose number of fields is not that of the columns, and its fields. Empty lines pass."""
    countable = layout.encoding == "utf-8" and layout.line_end == "\n"
    if countable and not _any_ragged(path, layout.separator, columns):
        return None
    rows = ((line, row) for line, row in _rows(path, layout) if len(row) != columns)
    return next(((line, row) for line, row in rows if "".join(row).strip()), None)


def stray_quote(path: Path, layout: Layout) -> int | None:
    """The first line with a quotation mark that neither begins nor ends a field, or of a quoted field without end."""
    mark = re.escape(layout.separator)
    stray = re.compile(rf'(?<![{mark}"])"(?![{mark}"])')
    for number, line in enumerate(_lines(path, layout), start=1):
        if line.count('"') % 2 or stray.search(line.rstrip("\r\n")[1:-1]):
            return number
    return None


def _any_ragged(path: Path, separator: str, columns: int) -> bool:
    """Whether some line may have another number of fields; counts bytes, which is fast."""
    inside = open_marks = open_bytes = 0
    with path.open("rb") as file:
        while block := file.read(PIECE_BYTES):
            buffer = np.frombuffer(block, np.uint8)
            ends, marks = buffer == ord("\n"), buffer == ord(separator)
            if inside or b'"' in block:
                quoted = (np.add.accumulate(buffer == ord('"'), dtype=np.uint8) + inside) % 2 == 1
                inside = int(quoted[-1])
                ends, marks = ends & ~quoted, marks & ~quoted
            at = np.flatnonzero(ends)
            before = np.searchsorted(np.flatnonzero(marks), at)
            fields = np.diff(before, prepend=-open_marks)
            lengths = np.diff(at, prepend=-1 - open_bytes) - 1
            blank = (lengths == 0) | ((lengths == 1) & (at > 0) & (buffer[at - 1] == ord("\r")))
            if np.any((fields != columns - 1) & ~blank):
                return True
            done, last = (int(before[-1]), int(at[-1]) + 1) if len(at) else (-open_marks, -open_bytes)
            open_marks, open_bytes = int(np.count_nonzero(marks)) - done, len(block) - last
    return open_bytes > 0 and open_marks != columns - 1


def _rows(path: Path, layout: Layout) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line in which it begins, from the first that is not empty on."""
    csv.field_size_limit(FIELD_CHARACTERS)
    reader = csv.reader(_lines(path, layout), delimiter=layout.separator)
    line, begun = 1, False
    try:
        for row in reader:
            begun = begun or bool(row)
            if begun:
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"{path.name}, line {line:,}: {error}", "Give a text file with a header") from None


def _lines(path: Path, layout: Layout) -> Iterator[str]:
    encoding = "utf-8-sig" if layout.encoding == "utf-8" else layout.encoding
    with path.open(encoding=encoding, newline="" if layout.line_end == "\n" else None) as file:
        try:
            yield from file
        except UnicodeError:
            decoded(path, layout)  # raises with the place, which only the whole file tells


def _not_in_encoding(path: Path, layout: Layout, error: UnicodeError) -> DataError:
    hint = ("Save the file as UTF-8, or name its encoding, such as ", setting("data.encoding", "cp1252"))
    if not isinstance(error, UnicodeDecodeError):
        return DataError(f"{path.name} is not {layout.encoding} text", hint)
    before = error.object[: error.start]
    line = before.count(b"\n") + 1
    field = before.rpartition(b"\n")[2].count(layout.separator.encode()) + 1
    byte = error.object[error.start]
    return DataError(
        f"{path.name}, line {line:,}, column {field:,}: byte 0x{byte:02x} is not {layout.encoding} text",
        hint,
    )
