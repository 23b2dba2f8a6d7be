"""The columns of a table as they are: for models that take categories, and values that are missing."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from core.data.tables.encoding import Column, DateColumn, Encoding, TextColumn, date_part
from core.data.tables.files.source import Source
from core.data.tables.table import Table, digest
from core.data.tables.values.rows import read_known
from core.errors import DataError

__all__ = ["PlainColumns", "plain_columns"]


@dataclass(frozen=True)
class PlainColumns:
    """Values of the rows of each split.

    Attributes:
        values: float64 (n, columns) by split: numbers, days and parts of dates, places of texts among those
            of train; NaN where a value is missing.
        texts: number of different texts of a column; 0 of numbers and dates.
    """

    values: dict[str, np.ndarray]
    texts: tuple[int, ...]


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
    frames: dict[int, np.ndarray] = {}
    values = {}
    for split, positions in rows.items():
        source = table.sources[split]
        if id(source) not in frames:
            frames[id(source)] = _read(source, table.encoding)
        values[split] = frames[id(source)][positions]
    texts = [count for column in table.encoding.columns for count in _text_counts(column)]
    return PlainColumns(values, tuple(texts))


def _read(source: Source, encoding: Encoding) -> np.ndarray:
    """Return all rows of a file, float64 (rows, columns)."""
    frame = read_known(source, encoding.readings, encoding.missing).frame
    parts = [part for column in encoding.columns for part in _parts(column)]
    return frame.select(part.cast(pl.Float64).alias(str(at)) for at, part in enumerate(parts)).to_numpy()


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
