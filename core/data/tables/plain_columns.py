"""The columns of a table as they are: for models that take categories, and values that are missing."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from core.data.tables.encoding import Column, DateColumn, Encoding, TextColumn, date_part, rows_at
from core.data.tables.table import Table, digest
from core.data.tables.values.rows import read_known
from core.errors import DataError

__all__ = ["PlainColumns", "plain_columns"]

BLOCK_BYTES = 8 << 20
"""Of values that are taken at once."""


@dataclass(frozen=True, eq=False)
class PlainColumns:
    """Values of the rows of each split: numbers, days and parts of dates, places of texts among those of train.

    Attributes:
        texts: number of different texts of a column; 0 of numbers and dates.
        encoding: how the columns are read.
        splits: of each a table, and the positions in it of its rows.
    """

    texts: tuple[int, ...]
    encoding: Encoding
    splits: dict[str, tuple[pl.DataFrame, np.ndarray]]

    def rows(self, split: str, at: np.ndarray | slice) -> np.ndarray:
        """Return some rows of a split, float64 (n, columns), NaN where a value is missing."""
        frame, positions = self.splits[split]
        parts = [part for column in self.encoding.columns for part in _parts(column)]
        values = (part.cast(pl.Float64).alias(str(at)) for at, part in enumerate(parts))
        found: np.ndarray = rows_at(frame, positions[at]).select(values).to_numpy()
        return found

    def blocks(self, split: str) -> Iterator[np.ndarray]:
        """Yield all rows of a split, some at a time."""
        size = max(1, BLOCK_BYTES // (8 * max(1, len(self.texts))))
        for start in range(0, len(self.splits[split][1]), size):
            yield self.rows(split, slice(start, start + size))


def plain_columns(table: Table, rows: dict[str, np.ndarray]) -> PlainColumns:
    """Read the columns of a table that was loaded from its files.

    Args:
        rows: (n,) int64 positions in the file of each split that is wanted.

    Raises:
        DataError: a file cannot be read, or has changed since.
    """
    digests = dict.fromkeys(digest(source.path) for source in table.sources.values())
    if not table.sources or " ".join(digests) != table.digest:
        raise DataError(f"{table.file} has changed since it was loaded")
    encoding = table.encoding
    frames: dict[int, pl.DataFrame] = {}
    splits = {}
    for split, positions in rows.items():
        source = table.sources[split]
        if id(source) not in frames:
            frames[id(source)] = read_known(source, encoding.readings, encoding.missing).frame
        splits[split] = (frames[id(source)], positions)
    texts = [count for column in encoding.columns for count in _text_counts(column)]
    return PlainColumns(tuple(texts), encoding, splits)


def _parts(column: Column) -> list[pl.Expr]:
    value = pl.col(column.name)
    if isinstance(column, DateColumn):
        return [date_part(value, part) for part in column.parts]
    if not isinstance(column, TextColumn):
        return [value]
    place = value.cast(pl.Enum(column.texts), strict=False).to_physical().cast(pl.Int64)
    other = pl.when(value.is_not_null()).then(pl.lit(len(column.texts) if column.others else None, pl.Int64))
    return [pl.coalesce(place, other)]


def _text_counts(column: Column) -> list[int]:
    if isinstance(column, TextColumn):
        return [len(column.texts) + column.others]
    return [0] * len(_parts(column))
