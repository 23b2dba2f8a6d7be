"""A file opened as a table whose columns are read when they are asked for; and why a file is none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import polars as pl

from core.data.tables.files import text
from core.data.tables.files.folder import folder_files
from core.data.tables.files.formats import READERS, TEXT_SUFFIXES, read_frame
from core.data.tables.files.packed import PACKED_SUFFIXES, content_of, plain_name
from core.data.tables.files.sniffing import UNREAD, sniffed
from core.data.tables.files.text import AS_FOUND, OpenedText, TextOptions, open_grid, open_text
from core.data.tables.files.workbooks import WORKBOOKS, read_grid
from core.errors import DataError
from core.files.reading import open_regular

__all__ = ["MAX_COLUMNS", "Damaged", "Source", "open_source"]

MAX_COLUMNS = 50_000
ROW = "row number"
"""Name of the column that counts rows; made longer where a file has such a column."""
FEW = 16
"""Rows of Parquet files that are read one by one, which passes by the blocks they are not in."""
PARQUET = (".parquet", ".pq")


class Damaged(DataError):
    """A file that cannot be read as it was opened; opened with care it may be."""


@dataclass(frozen=True)
class Source:
    """An opened file.

    Attributes:
        frame: its rows, not read yet; all columns are text in text files, and of the file's own types in others.
        names: its columns.
        text: how a text file is written; None for others.
        options: what it was opened with.
        notes: what was left out or inferred, a line each.
        parts: of a folder, its files, one below the other.
        first: rows of the file before these.
    """

    path: Path
    frame: pl.LazyFrame
    names: tuple[str, ...]
    text: OpenedText | None = None
    options: TextOptions = AS_FOUND
    notes: tuple[str, ...] = ()
    careful: bool = False
    parts: tuple["Source", ...] = ()
    first: int = 0

    @property
    def files(self) -> tuple["Source", ...]:
        """Return the files that the rows come from, in their order."""
        return self.parts or (self,)

    @property
    def is_parquet(self) -> bool:
        """Return whether all files are Parquet files, whose rows can be read some at a time."""
        return all(file.path.suffix.lower() in PARQUET and file.text is None for file in self.files)

    @property
    def is_workbook(self) -> bool:
        """Return whether the rows are those of a sheet."""
        return self.path.suffix.lower() in WORKBOOKS

    def row_count(self) -> int:
        """Return the number of rows; of a Parquet file it stands in its description.

        Raises:
            Damaged: the file is damaged.
        """
        return int(self.collect(pl.len()).item())

    @property
    def semicolons(self) -> bool:
        """Return whether the fields are separated by semicolons, as where commas are decimal marks."""
        return self.text is not None and self.text.separator == ";"

    def with_care(self) -> "Source | None":
        """Return the same file opened with a look at all of its lines; None where that was done.

        Raises:
            DataError: it is not a table; the message names the line.
        """
        if self.text is None or self.careful:
            return None
        return open_source(self.path, self.options, careful=True)

    def schema(self) -> pl.Schema:
        """Return the types of the columns.

        Raises:
            Damaged: the file is damaged.
        """
        try:
            return self.frame.collect_schema()
        except pl.exceptions.PolarsError as error:
            reason = str(error).partition("\n")[0]
            raise Damaged(f"{self.path.name} is damaged: {reason}", "Write the file anew") from None

    def head(self, columns: Sequence[str], rows: int) -> pl.DataFrame:
        """Return the first rows of some columns, as they stand in the file.

        Raises:
            Damaged: the file is damaged.
        """
        return self.computed(self.frame.select(*columns).head(rows))

    def collect(self, *columns: pl.Expr) -> pl.DataFrame:
        """Read some columns, in pieces: what is made of them is in memory at once, the file is not.

        Raises:
            Damaged: a row has too many fields, or the file is damaged.
        """
        return self.computed(self.frame.select(*columns))

    def rows(self, positions: Sequence[int] | np.ndarray, columns: Sequence[str]) -> pl.DataFrame:
        """Return rows as they stand in the file, all text, in the order of `positions`, which count from 0.

        Raises:
            DataError: the file cannot be read any more, or has fewer rows.
        """
        counter = ROW
        while counter in self.names:
            counter += " "
        wanted = pl.Series(positions, dtype=pl.UInt32)
        schema = self.schema()
        texts = [_as_text(column, schema[column]).fill_null("") for column in columns]
        if self.is_parquet and 0 < wanted.n_unique() <= FEW:
            rows = wanted.unique().to_list()
            found = pl.concat([self.frame.slice(row, 1).with_row_index(counter, row) for row in rows])
        else:
            found = self.frame.with_row_index(counter).filter(pl.col(counter).is_in(wanted.implode()))
        frame = self.computed(found.select(counter, *texts)).sort(counter)
        if len(frame) < wanted.n_unique():
            raise DataError(f"{self.path.name} has fewer rows than before", "Put the old file back")
        return frame[frame[counter].search_sorted(wanted)].drop(counter)

    def place(self, row: int) -> str:
        """Return where a row stands, in words: its line in a text file."""
        if self.text is None:
            return f"row {self.first + row + 1:,}"
        return f"line {text.line_of(self.path, self.text, row):,}"

    def check_shape(self) -> None:
        """Make sure that no row of a text file has too few fields, or too many.

        Raises:
            Damaged: one may have.
        """
        if self.text is not None and text.ragged(self.path, self.text):
            raise Damaged(f"{self.path.name} has lines of different lengths", "Correct them")

    def computed(
        self, frame: pl.LazyFrame, compute: Callable[[pl.LazyFrame], pl.DataFrame] | None = None
    ) -> pl.DataFrame:
        """Compute what is made of its rows.

        Args:
            compute: how; by default in memory.

        Raises:
            Damaged: a row has too many fields, or the file is damaged.
        """
        try:
            return frame.collect(engine="streaming") if compute is None else compute(frame)
        except (
            pl.exceptions.PolarsError,
            pl.exceptions.PanicException,
        ) as error:  # of a file that became shorter
            reason = str(error).partition("\n")[0]
            raise Damaged(f"{self.path.name} is damaged: {reason}", "Write the file anew") from None
        except OSError as error:
            raise DataError(f"cannot read {self.path.name}: {error}", "Give another file") from None


def open_source(path: Path, options: TextOptions = AS_FOUND, *, careful: bool = False) -> Source:
    """Open a table.

    Args:
        careful: look at all lines of a text file.

    Raises:
        DataError: there is no such file, or it is no table.
        DependencyError: a package that reads it is not installed.
    """
    if path.is_dir():
        return _checked(_opened_folder(path, options, careful))
    _check_file(path)
    return _checked(_opened(path, options, careful))


def _opened(path: Path, options: TextOptions, careful: bool) -> Source:
    packed = path.suffix.lower() in PACKED_SUFFIXES
    content, name = content_of(path) if packed else (None, path.name)
    with_suffix = Path(name).suffix.lower()
    start = content[:4096] if content is not None else _start(path)
    real = sniffed(start)
    if with_suffix in UNREAD or real in UNREAD:
        what, hint = UNREAD[with_suffix if with_suffix in UNREAD else real]
        stem = plain_name(path).rpartition(".")[0] or path.stem
        raise DataError(f"{path.name} is {what}, and is not read", hint.format(name=path.name, stem=stem))
    if with_suffix in (".csv", ".tsv") and real and real not in (".mat",):
        kind = {".xlsx": "an Excel or zip file", ".zip": "an Excel or zip file", ".parquet": "a Parquet file"}
        raise DataError(
            f"{path.name} is {kind.get(real, f'a {real[1:]} file')}, not a text file",
            f"Rename it to end in {real}",
        )
    if not packed and real in PACKED_SUFFIXES and with_suffix not in WORKBOOKS:
        raise DataError(
            f"{path.name} is packed, as files that end in {real} are", f"Rename it to end in {real}"
        )
    if (with_suffix in WORKBOOKS and real) or (real in WORKBOOKS and with_suffix not in READERS):
        grid, notes = read_grid(path, content, options.part)
        opened = open_grid(path, grid, options)
        return Source(
            path, opened.frame, opened.names, opened, options, (*notes, *opened.notes), careful=True
        )
    suffix = with_suffix if with_suffix in READERS else real if real in READERS else ""
    if suffix:
        frame, found = read_frame(path, suffix, content, options.part, options.encoding)
        return Source(path, frame, _schema(path, frame), None, options, tuple(found))
    opened = open_text(path, content, name, options, careful)
    notes = [f"{path.name} is no workbook but a text file"] if with_suffix in WORKBOOKS else []
    return Source(path, opened.frame, opened.names, opened, options, (*notes, *opened.notes), careful)


def _opened_folder(path: Path, options: TextOptions, careful: bool) -> Source:
    """The files of a folder, one below the other."""
    files, note = folder_files(path)
    parts = [_opened(file, options, careful) for file in files]
    names = parts[0].names
    other = next((part for part in parts if set(part.names) != set(names)), None)
    if other is not None:
        raise DataError(
            f"{path} holds tables with different columns: {parts[0].path.name} and {other.path.name}",
            f"Give one of its files, such as {files[0]}",
        )
    frame = pl.concat([part.frame.select(names) for part in parts], how="vertical_relaxed")
    return Source(path, frame, names, None, options, (note, *parts[0].notes), True, tuple(parts))


def _schema(path: Path, frame: pl.LazyFrame) -> tuple[str, ...]:
    try:
        return tuple(frame.collect_schema().names())
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise DataError(
            f"{path.name} is no {path.suffix[1:].capitalize()} file: {reason}", "Write it anew"
        ) from None


def _start(path: Path) -> bytes:
    try:
        with open_regular(path, follow_links=True) as file:
            return file.read(4096)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}", "Give another file") from None


def _check_file(path: Path) -> None:
    if not path.exists():
        near = [file.name for file in path.parent.iterdir()] if path.parent.is_dir() else []
        close = get_close_matches(path.name, near, n=1)
        raise DataError(
            f"{path} is not there",
            f"Did you mean {path.parent / close[0]}?" if close else "Give the path of a file",
        )
    if not path.is_file():
        raise DataError(
            f"{path} is not a file", f"Give a file that ends in {' '.join(TEXT_SUFFIXES[:2])} .parquet"
        )
    if path.stat().st_size == 0:
        raise DataError(f"{path.name} is empty", "Its first line names the columns, the others are rows")


def _checked(source: Source) -> Source:
    """The source, unless it has too many columns."""
    if len(source.names) > MAX_COLUMNS:
        raise DataError(
            f"{source.path.name} has {len(source.names):,} columns, takes at most {MAX_COLUMNS:,}",
            "Leave some out before; rows and columns may have to change places",
        )
    return source


def _as_text(column: str, kind: pl.DataType) -> pl.Expr:
    """A column as texts; what polars does not make texts of is only named."""
    if kind.is_nested() or kind in (pl.Binary, pl.Object):
        return pl.lit(f"({kind.base_type()})").alias(column)
    if kind == pl.Duration:
        return pl.col(column).dt.to_string("polars")
    return pl.col(column).cast(pl.String)
