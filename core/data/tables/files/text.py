"""Text files as tables: read by polars as they are where they are regular, and rewritten in memory where not."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from core.counting import counted
from core.data.tables.files.encodings import Encoded, find_encoding
from core.data.tables.files.lines import any_ragged, stray_quote
from core.data.tables.files.text_around import TextTable, ends_regularly
from core.data.tables.files.text_rows import BLANKS, find_separator, has_unusual_quotes, split_lines
from core.data.tables.files.text_table import find_table
from core.errors import DataError
from core.files.reading import open_regular
from core.remedies import setting

__all__ = ["AS_FOUND", "OpenedText", "TextOptions", "open_grid", "open_text"]

HEAD_BYTES, MAX_HEAD_BYTES, TAIL_BYTES = 1 << 16, 1 << 22, 1 << 13
MIN_LINES = 30


@dataclass(frozen=True)
class TextOptions:
    """How a text file is read.

    Attributes:
        separator: between the fields; ``auto`` looks at the lines.
        encoding: a codec of Python's; ``auto`` looks at the bytes.
        header: whether the first line names the columns; None looks at it.
        part: sheet of a workbook or table of a database.
    """

    separator: str = "auto"
    encoding: str = "auto"
    header: bool | None = None
    part: str = ""


AS_FOUND = TextOptions()


@dataclass(frozen=True)
class OpenedText:
    """A text file that was opened.

    Attributes:
        names: of its columns.
        lines: (n,) the line in which each row begins; None where polars reads the file as it is.
    """

    frame: pl.LazyFrame
    names: tuple[str, ...]
    separator: str
    encoding: str
    header: bool
    lines: np.ndarray | None
    notes: tuple[str, ...]


def open_text(
    path: Path, content: bytes | None, name: str, options: TextOptions, careful: bool
) -> OpenedText:
    """Open a text file.

    Args:
        content: its bytes, where they had to be unpacked.
        name: of the file, without what packs it.
        careful: look at all of it rather than at its beginning and its end.

    Raises:
        DataError: it is not a table, or not in its encoding.
    """
    head, tail, whole = _ends(path, content)
    if careful and not whole:
        head, whole = _whole(path), True
    encoding = find_encoding(head, options.encoding, whole)
    if b"\0" in head and not encoding.startswith(("utf-16", "utf-32")):
        place = head.index(b"\0")
        raise DataError(
            f"{path.name} is not a text file: it has a zero byte at {place:,}",
            "Give a table; CSV, Parquet and others are read",
        )
    single = encoding in ("utf-8", "ascii")
    if not single and not whole:
        head, whole = _whole(path), True
    text = _decoded(path, head, encoding, whole)
    if not text.strip("\ufeff \t\r\n\x1a"):
        raise DataError(f"{path.name} is empty", "Its first line names the columns, the others are rows")
    separator, named = _separator(name, text, options)
    table = _table(path, text, separator, options.header)
    if not table.names:
        raise DataError(f"{path.name} is empty", "Its first line names the columns, the others are rows")
    simple = (
        content is None
        and single
        and not named
        and separator != BLANKS
        and not has_unusual_quotes(text, separator)
        and "\r" not in text.replace("\r\n", "")
    )
    if not careful and simple and table.regular and _plain_end(tail, separator, len(table.names)):
        frame = pl.scan_csv(
            path,
            glob=False,
            has_header=table.header,
            separator=separator,
            infer_schema=False,
            new_columns=list(table.names),
        )
        notes = (*_encoding_notes(encoding), *table.notes)
        return OpenedText(frame, tuple(table.names), separator, encoding, table.header, None, notes)
    if not whole:
        text = _decoded(path, _whole(path), encoding, True)
        table = _table(path, text, separator, options.header)
    return _rewritten(path, table, separator, encoding, text)


def open_grid(path: Path, rows: Sequence[Sequence[str]], options: TextOptions) -> OpenedText:
    """Open the cells of a sheet.

    Raises:
        DataError: there are none.
    """
    table = find_table(((at, list(row)) for at, row in enumerate(rows, start=1)), options.header)
    if not table.rows and not table.names:
        raise DataError(f"{path.name} is empty", "Its first line names the columns, the others are rows")
    return _rewritten(path, table, ",", Encoded("utf-8"), "")


def line_of(path: Path, opened: OpenedText, row: int) -> int:
    """Return the line, from 1, in which a row begins; rows count from 0, empty lines as rows."""
    if opened.lines is not None:
        return int(opened.lines[row]) if row < len(opened.lines) else 0
    begun, at = False, -int(opened.header)
    for line, fields in split_lines(_unix_lines(_whole(path)), opened.separator):
        begun = begun or bool(fields)
        if begun and at == row:
            return line
        at += begun
    return 0


def _whole(path: Path) -> bytes:
    with open_regular(path, follow_links=True) as file:
        return file.read()


def _unix_lines(content: bytes) -> str:
    return content.decode("utf-8", errors="replace").replace("\r\n", "\n").replace("\r", "\n")


def ragged(path: Path, opened: OpenedText) -> bool:
    """Return whether a line of a file that polars reads as it is may have too many fields, or too few."""
    return opened.lines is None and any_ragged(path, opened.separator, len(opened.names))


def _ends(path: Path, content: bytes | None) -> tuple[bytes, bytes, bool]:
    """The first and the last bytes of a file, and whether the first are all of it."""
    if content is not None:
        return content, content[-TAIL_BYTES:], True
    try:
        with open_regular(path, follow_links=True) as file:
            head = file.read(HEAD_BYTES)
            while (
                len(head) < MAX_HEAD_BYTES
                and head.count(b"\n") < MIN_LINES
                and (more := file.read(HEAD_BYTES))
            ):
                head += more
            size = file.seek(0, io.SEEK_END)
            file.seek(max(0, size - TAIL_BYTES))
            return head, file.read(), size == len(head)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}", "Give another file") from None


def _decoded(path: Path, content: bytes, encoding: str, whole: bool) -> str:
    if not whole:
        text = content.decode(encoding, errors="replace")
        return text[: text.rfind("\n") + 1] or text
    try:
        return content.decode(encoding).removeprefix("\ufeff")
    except UnicodeError as error:
        hint = (
            "Leave data.encoding at auto, or name the encoding, such as ",
            setting("data.encoding", "cp1252"),
        )
        if not isinstance(error, UnicodeDecodeError):
            raise DataError(f"{path.name} is not {encoding} text", hint) from None
        before = content[: error.start]
        line = before.count(b"\n") + 1
        raise DataError(
            f"{path.name}, line {line:,}: byte 0x{content[error.start]:02x} is not {encoding} text", hint
        ) from None


def _separator(name: str, text: str, options: TextOptions) -> tuple[str, bool]:
    if options.separator != "auto":
        return options.separator, False
    if name.lower().endswith((".tsv", ".tab")):
        return "\t", False
    return find_separator(text)


def _table(path: Path, text: str, separator: str, header: bool | None) -> TextTable:
    try:
        return find_table(split_lines(text, separator), header)
    except csv.Error as error:
        raise DataError(f"{path.name}: {error}", "Give a text file with a header") from None


def _plain_end(tail: bytes, separator: str, width: int) -> bool:
    """Return whether there are only rows at the end of a file, seen from its last bytes."""
    lines = tail.decode("utf-8", errors="replace").partition("\n")[2]
    return not tail.rstrip(b"\r\n ").endswith((b"\x1a", b"\0")) and ends_regularly(
        split_lines(lines, separator), width
    )


def _rewritten(path: Path, table: TextTable, separator: str, encoding: Encoded, text: str) -> OpenedText:
    """The rows of a table as a regular text in memory."""
    width = len(table.names)
    if text.count('"') % 2 and any("\n" in field for _, row in table.rows for field in row):
        place = stray_quote(io.StringIO(text), separator) or 1
        raise DataError(
            f"{path.name}, line {place:,}: a quotation mark inside a field, or without its other end",
            'Write it twice ("") and put the whole field in quotes',
        )
    bad = next(((line, row) for line, row in table.rows if len(row) != width), None)
    if bad is not None:
        raise _ragged_error(path, bad, width)
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(row for _, row in table.rows)
    frame = pl.LazyFrame(schema=dict.fromkeys(table.names, pl.String))
    if table.rows:
        plain = io.BytesIO(out.getvalue().encode())
        frame = pl.scan_csv(plain, has_header=False, infer_schema=False, new_columns=list(table.names))
    lines = np.array([line for line, _ in table.rows], dtype=np.int64)
    blank = [f"left out {counted(table.blank, 'row')} without a value"] if table.blank else []
    notes = (*_encoding_notes(encoding), *table.notes, *blank)
    return OpenedText(frame, tuple(table.names), separator, encoding, table.header, lines, notes)


def _ragged_error(path: Path, bad: tuple[int, list[str]], width: int) -> DataError:
    line, row = bad
    unclosed = any("\n" in field for field in row)
    return DataError(
        f"{path.name}, line {line:,}: {counted(len(row), 'field')}, and there are {width:,} columns",
        "Correct the line; a quotation mark in it may lack its other end"
        if unclosed
        else "Correct the line; a text with a separator in it belongs in quotes",
    )


def _encoding_notes(encoding: Encoded) -> tuple[str, ...]:
    return (encoding.note,) if encoding.note else ()
