"""A file opened as a table whose columns are read when they are asked for; and why a file is none."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import polars as pl

from core.data.tables import layout
from core.data.tables.layout import Layout
from core.data.tables.options import ENDINGS
from core.errors import DataError
from core.remedies import setting

__all__ = ["MAX_COLUMNS", "Source", "open_source"]

MAX_COLUMNS = 50_000
ROW = "row number"
"""Name of the column that counts rows; made longer where a file has such a column."""


@dataclass(frozen=True)
class Source:
    """An opened file.

    Attributes:
        frame: its rows, not read yet; all columns are text in CSV, and of the file's own types in Parquet.
        names: its columns.
        layout: how a text file is written; None for Parquet.
    """

    path: Path
    frame: pl.LazyFrame
    names: tuple[str, ...]
    layout: Layout | None

    def head(self, columns: Sequence[str], rows: int) -> pl.DataFrame:
        """The first rows of some columns, as they stand in the file.

        Raises:
            DataError: the file is damaged.
        """
        return self._collected(self.frame.select(*columns).head(rows))

    def collect(self, *columns: pl.Expr) -> pl.DataFrame:
        """Read some columns, in pieces: what is made of them is in memory at once, the file is not.

        Raises:
            DataError: a row has too many fields, or the file is damaged.
        """
        return self._collected(self.frame.select(*columns))

    def rows(self, positions: Sequence[int] | np.ndarray, columns: Sequence[str]) -> pl.DataFrame:
        """Rows as they stand in the file, all text, in the order of `positions`, which count from 0.

        Raises:
            DataError: the file cannot be read any more, or has fewer rows.
        """
        counter = ROW
        while counter in self.names:
            counter += " "
        wanted = pl.Series(positions, dtype=pl.UInt32)
        texts = [pl.col(column).cast(pl.String).fill_null("") for column in columns]
        found = self.frame.with_row_index(counter).filter(pl.col(counter).is_in(wanted.implode()))
        frame = self._collected(found.select(counter, *texts)).sort(counter)
        if len(frame) < wanted.n_unique():
            raise DataError(f"{self.path.name} has fewer rows than before", "Put the old file back")
        return frame[frame[counter].search_sorted(wanted)].drop(counter)

    def place(self, row: int) -> str:
        """Where a row stands, in words: its line in a text file."""
        if self.layout is None:
            return f"row {row + 1:,}"
        return f"line {layout.line_of(self.path, self.layout, row):,}"

    def check_shape(self) -> None:
        """Make sure that no row of a text file has too few fields, or too many.

        Raises:
            DataError: it names the line.
        """
        found = layout.ragged_line(self.path, self.layout, len(self.names)) if self.layout else None
        if found is not None:
            line, fields = found
            unclosed = any("\n" in field for field in fields)
            raise DataError(
                f"{self.path.name}, line {line:,}: {len(fields):,} fields, and there are {len(self.names):,} columns",
                "Correct the line; a quotation mark in it may lack its other end"
                if unclosed
                else "Correct the line; a text with a separator in it belongs in quotes",
            )

    def _collected(self, frame: pl.LazyFrame) -> pl.DataFrame:
        try:
            return frame.collect(engine="streaming")
        except pl.exceptions.PolarsError as error:
            raise self._damage(error) from None
        except OSError as error:
            raise DataError(f"cannot read {self.path.name}: {error}", "Give another file") from None

    def _damage(self, error: Exception) -> DataError:
        """What is wrong with a file that polars stumbled over."""
        if self.layout is not None:
            try:
                self.check_shape()
            except DataError as found:
                return found
            found_at = layout.stray_quote(self.path, self.layout)
            if found_at is not None:
                return DataError(
                    f"{self.path.name}, line {found_at:,}: a quotation mark inside a field, or without its other end",
                    'Write it twice ("") and put the whole field in quotes',
                )
        reason = str(error).partition("\n")[0]
        return DataError(f"{self.path.name} is damaged: {reason}", "Write the file anew")


def open_source(
    path: Path, *, separator: str = "auto", encoding: str = "utf-8", header: bool = True
) -> Source:
    """Open a table.

    Args:
        separator: between the fields of a text file: ``,`` and so on; ``auto`` looks at the first line.
        encoding: of a text file.
        header: whether the first line names the columns; else they are ``column_1``, ``column_2`` ...

    Raises:
        DataError: there is no such file, or it is no table.
    """
    _check_file(path)
    if path.suffix.lower() == ".parquet":
        return _open_parquet(path)
    if separator == "auto" and path.suffix.lower() == ".tsv":
        separator = "\t"
    found = layout.examine(path, separator, encoding, header)
    names = layout.column_names(path, found)
    _check_names(path, names, header)
    source: Path | io.BytesIO = path
    if found.encoding != "utf-8":
        source = io.BytesIO(layout.decoded(path, found).encode())
    frame = pl.scan_csv(
        source,
        has_header=found.header,
        separator=found.separator,
        eol_char=found.line_end,
        infer_schema=False,
        new_columns=list(names),
    )
    return Source(path, frame, names, found)


def _open_parquet(path: Path) -> Source:
    try:
        frame = pl.scan_parquet(path, glob=False)
        names = tuple(frame.collect_schema().names())
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise DataError(f"{path.name} is no Parquet file: {reason}", "Write it anew") from None
    _check_names(path, names, header=True)
    return Source(path, frame, names, None)


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise DataError(f"{path} is a folder", f"Give a file that ends in {' '.join(ENDINGS)}")
    if not path.exists():
        near = [file.name for file in path.parent.iterdir()] if path.parent.is_dir() else []
        close = get_close_matches(path.name, near, n=1)
        raise DataError(
            f"{path} is not there",
            f"Did you mean {path.parent / close[0]}?" if close else "Give the path of a file",
        )
    if not path.is_file():
        raise DataError(f"{path} is not a file", f"Give a file that ends in {' '.join(ENDINGS)}")
    if path.stat().st_size == 0:
        raise DataError(f"{path.name} is empty", "Its first line names the columns, the others are rows")


def _check_names(path: Path, names: Sequence[str], header: bool) -> None:
    if len(names) > MAX_COLUMNS:
        raise DataError(
            f"{path.name} has {len(names):,} columns, takes at most {MAX_COLUMNS:,}",
            "Leave some out before; rows and columns may have to change places",
        )
    places: dict[str, int] = {}
    for place, name in enumerate(names, start=1):
        first = places.setdefault(name, place)
        if first != place:
            raise DataError(
                f"{path.name} has two columns named {layout.quoted(name)}, the {_nth(first)} and the {_nth(place)}",
                ("Rename one; a file without names takes ", setting("data.header", "false"))
                if header
                else "Rename one",
            )


def _nth(place: int) -> str:
    ending = "th" if place % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place:,}{ending}"
