"""How columns become features, as learnt from the training rows: plain values that JSON holds.

Each column of the file becomes one or more features: a number itself, a date some numbers, a text one feature for each
text that was seen. Nothing here looks at validation or test rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Annotated, Literal

import numpy as np
import polars as pl
from pydantic import Field

from core.data.tables.scaling import Limits, Scale, fit_scale, no_scale, scaled
from core.data.tables.values.read import DAY_MILLISECONDS
from core.data.tables.values.reading import Reading
from core.options import Options

__all__ = ["Column", "DateColumn", "Encoding", "TextColumn", "TrainRows", "date_part", "fit", "rows_at"]

ROWS_AT_ONCE = 65_536
BYTES_AT_ONCE = 64 << 20
SPARSE = 8
"""Rows from the first to the last for each that is taken, from which on marking them is slower."""


class NumberColumn(Options):
    """One feature. `format`, `unit` and `scaled` are those of its `Reading`."""

    kind: Literal["number"] = "number"
    name: str
    format: str = ""
    unit: str = ""
    scaled: bool = False
    scale: Scale


class DateColumn(Options):
    """Days since 1970, month, day of the week, and hour; those that vary in train."""

    kind: Literal["date"] = "date"
    name: str
    format: str
    parts: dict[str, Scale]


class TextColumn(Options):
    """A feature of 0 or 1 for each text, for all others together, and for a missing one, where train has such."""

    kind: Literal["text"] = "text"
    name: str
    texts: tuple[str, ...]
    others: bool
    missing: bool


class Encoding(Options):
    """All columns, and the texts that stand for a missing value."""

    columns: tuple[Annotated[NumberColumn | DateColumn | TextColumn, Field(discriminator="kind")], ...]
    missing: tuple[str, ...]

    @property
    def readings(self) -> dict[str, Reading]:
        """Return how the columns of a file are read."""
        return {column.name: _reading(column) for column in self.columns}

    @cached_property
    def features(self) -> tuple[str, ...]:
        """Return the name of each number that `apply` gives for a row."""
        return tuple(name for column in self.columns for name in _names(column))

    @cached_property
    def places(self) -> dict[str, list[int]]:
        """Return the places of the features that each column becomes."""
        found, first = dict[str, list[int]](), 0
        for column in self.columns:
            count = len(_names(column))
            found[column.name] = list(range(first, first + count))
            first += count
        return found

    def apply(self, frame: pl.DataFrame, rows: np.ndarray | None = None) -> np.ndarray:
        """Return the features of rows, float32 (n, features).

        Args:
            frame: columns as `readings` has them read.
            rows: (n,) positions to take; by default all.
        """
        chosen = np.arange(len(frame)) if rows is None else rows
        values = np.zeros((len(chosen), len(self.features)), np.float32)
        if not self.columns:
            return values
        frame = frame.select([column.name for column in self.columns])
        for at in range(0, len(chosen), ROWS_AT_ONCE):
            part = rows_at(frame, chosen[at : at + ROWS_AT_ONCE])
            self._numbers.fill(values[at : at + len(part)], part)
            self._texts.fill(values[at : at + len(part)], part)
        return values

    def unseen(self, frame: pl.DataFrame) -> dict[str, tuple[int, str]]:
        """Return how many texts of a column train did not have, and the first one, where they have no feature."""
        found = {}
        for column in self.columns:
            if isinstance(column, TextColumn) and not column.others:
                strange = frame[column.name].drop_nulls()
                strange = strange.filter(~strange.is_in(column.texts))
                if len(strange):
                    found[column.name] = (len(strange), str(strange[0]))
        return found

    def imputed(self, frame: pl.DataFrame) -> dict[str, int]:
        """Return how many values are filled, for each column of numbers or dates that lacks some."""
        counts = {
            column.name: frame[column.name].null_count() for column in self.columns if column.kind != "text"
        }
        return {name: count for name, count in counts.items() if count}

    @cached_property
    def _numbers(self) -> "_Numbers":
        return _Numbers(self.columns)

    @cached_property
    def _texts(self) -> "_Texts":
        return _Texts(self.columns)


Column = NumberColumn | DateColumn | TextColumn


def rows_at(frame: pl.DataFrame, positions: np.ndarray) -> pl.DataFrame:
    """Return the rows at some positions: where these ascend, those between that are marked, which is faster."""
    if not len(positions) or np.any(positions[1:] <= positions[:-1]):
        return frame[positions]
    between = frame[int(positions[0]) : int(positions[-1]) + 1]
    if len(between) > SPARSE * len(positions):
        return frame[positions]
    marked = np.zeros(len(between), bool)
    marked[positions - positions[0]] = True
    return between if len(between) == len(positions) else between.filter(pl.Series(marked))


class TrainRows:
    """Some rows of a table by column: as many columns are taken at once as need no large copy.

    Args:
        rows: (n,) positions in `frame`.
    """

    def __init__(self, frame: pl.DataFrame, rows: np.ndarray) -> None:
        self.frame, self.rows = frame, rows
        self._places = {name: place for place, name in enumerate(frame.columns)}
        self._count = max(1, BYTES_AT_ONCE // (np.dtype(np.float64).itemsize * max(1, len(rows))))
        self._first, self._taken = 0, pl.DataFrame()

    def __getitem__(self, name: str) -> pl.Series:
        """Return a column, in one piece: sums depend on the pieces."""
        place = self._places[name]
        if not self._first <= place < self._first + self._taken.width:
            self._first, self._taken = place, pl.DataFrame()
            self._taken = rows_at(self.frame[:, place : place + self._count], self.rows).rechunk()
        return self._taken[name]


def _placed(columns: Sequence[Column]) -> Iterator[tuple[int, Column]]:
    """Yield columns with the position of their first feature."""
    place = 0
    for column in columns:
        yield place, column
        place += len(_names(column))


class _Numbers:
    """The features of numbers and dates."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self.places: list[int] = []
        self.values: list[pl.Expr] = []
        for place, column in _placed(columns):
            if not isinstance(column, TextColumn):
                found = list(_scaled(column))
                self.places += range(place, place + len(found))
                self.values += found
        self.values = [value.cast(pl.Float32).alias(str(at)) for at, value in enumerate(self.values)]

    def fill(self, features: np.ndarray, rows: pl.DataFrame) -> None:
        """Write the features of rows, float32 (n, features), in place."""
        if self.values:
            all_of_them = len(self.places) == features.shape[1]
            features[:, slice(None) if all_of_them else self.places] = rows.select(self.values).to_numpy()


class _Texts:
    """The features of texts: 0, and 1 at the text, found for all columns at once, as there may be thousands."""

    def __init__(self, columns: Sequence[Column]) -> None:
        placed = [(place, column) for place, column in _placed(columns) if isinstance(column, TextColumn)]
        self.names = [column.name for _, column in placed]
        self.places = np.array([place for place, _ in placed], dtype=np.int64)
        known = np.array([len(column.texts) for _, column in placed], dtype=np.int64)
        self.others = np.array([column.others for _, column in placed], dtype=bool)
        self.missing = np.array([column.missing for _, column in placed], dtype=bool)
        self.other_places = self.places + known
        self.missing_places = self.other_places + self.others
        self.codes = [
            pl.col(column.name)
            .cast(pl.Enum(column.texts), strict=False)
            .to_physical()
            .cast(pl.Int32)
            .fill_null(-1)
            for _, column in placed
        ]

    def fill(self, features: np.ndarray, rows: pl.DataFrame) -> None:
        """Write the features of rows, float32 (n, features), which are 0, in place."""
        if not self.names:
            return
        codes = rows.select(self.codes).to_numpy()
        _mark(features, codes >= 0, self.places + codes)
        if self.others.any() or self.missing.any():
            absent = rows.select(pl.col(self.names).is_null()).to_numpy()
            _mark(features, (codes < 0) & ~absent & self.others, self.other_places)
            _mark(features, absent & self.missing, self.missing_places)


def _mark(features: np.ndarray, where: np.ndarray, places: np.ndarray) -> None:
    """Write ones at the places of some columns, (columns,) or (n, columns), in the rows where they hold."""
    row, column = np.nonzero(where)
    features[row, places[row, column] if places.ndim == 2 else places[column]] = 1


def fit(
    train: pl.DataFrame | TrainRows,
    readings: Mapping[str, Reading],
    missing: Sequence[str],
    max_categories: int,
    *,
    scale_numbers: bool = True,
) -> tuple[Encoding, dict[str, Limits]]:
    """Learn from the training rows.

    Args:
        max_categories: texts of a column that get a feature of their own, the most frequent ones; others share one.
        scale_numbers: false leaves numbers, and parts of dates, as they are.

    Returns:
        The encoding, and the limits of columns of numbers with heavy tails.

    Raises:
        DataError: numbers are to be left as they are, and float32 would not tell them apart.
    """
    columns: list[Column] = []
    clipped: dict[str, Limits] = {}
    for name, how in readings.items():
        values = train[name]
        if how.kind == "number":
            scale, found = fit_scale(values) if scale_numbers else (no_scale(values, name), None)
            columns.append(
                NumberColumn(name=name, format=how.format, unit=how.unit, scaled=how.scaled, scale=scale)
            )
            if found is not None:
                clipped[name] = found
        elif how.kind == "date":
            parts = {
                part: values.to_frame().select(date_part(pl.col(name), part)).to_series() for part in PARTS
            }
            kept = {
                part: fit_scale(series)[0] if scale_numbers else no_scale(series, name)
                for part, series in parts.items()
                if part == "days" or series.n_unique() > 1
            }
            columns.append(DateColumn(name=name, format=how.format, parts=kept))
        else:
            columns.append(_texts(values, max_categories))
    return Encoding(columns=tuple(columns), missing=tuple(missing)), clipped


PARTS = ("days", "month", "weekday", "hour")


def _names(column: Column) -> list[str]:
    """Name each feature of a column."""
    if isinstance(column, NumberColumn):
        return [column.name]
    if isinstance(column, DateColumn):
        return [f"{column.name} {part}" for part in column.parts]
    more = [f"{column.name}=(others)"] * column.others + [f"{column.name}=(missing)"] * column.missing
    return [f"{column.name}={text}" for text in column.texts] + more


def _scaled(column: NumberColumn | DateColumn) -> Iterator[pl.Expr]:
    """Yield how each feature of a column of numbers or dates is computed."""
    value = pl.col(column.name)
    if isinstance(column, NumberColumn):
        yield scaled(value, column.scale)
    else:
        for part, scale in column.parts.items():
            yield scaled(date_part(value, part), scale)


def date_part(days: pl.Expr, part: str) -> pl.Expr:
    """Return a number of a date: days since 1970, month 1 to 12, weekday 1 to 7 from Monday, hour 0 to 23."""
    if part == "days":
        return days
    date = (days * DAY_MILLISECONDS).round().cast(pl.Int64).cast(pl.Datetime("ms"))
    numbers = {"month": date.dt.month, "weekday": date.dt.weekday, "hour": date.dt.hour}
    return numbers[part]().cast(pl.Float64)


def _reading(column: Column) -> Reading:
    if isinstance(column, NumberColumn):
        return Reading("number", column.format, column.unit, column.scaled)
    return Reading("date", column.format) if isinstance(column, DateColumn) else Reading("text")


def _texts(values: pl.Series, most: int) -> TextColumn:
    counts = values.alias("text").value_counts(sort=False)
    missing = values.null_count() > 0
    different = len(counts) - missing
    if different > most:
        counts = counts.drop_nulls().sort("count", "text", descending=[True, False]).head(most)
    texts = (text for text in counts["text"].to_list() if text is not None)
    return TextColumn(name=values.name, texts=tuple(sorted(texts)), others=different > most, missing=missing)
