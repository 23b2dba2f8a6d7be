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

from core.data.tables.scaling import Limits, Scale, fit_scale, scaled
from core.data.tables.values.read import DAY_MILLISECONDS
from core.data.tables.values.reading import Reading
from core.options import Options

__all__ = ["Encoding", "fit"]

ROWS_AT_ONCE = 65_536


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
        return tuple(name for name, _ in self._features)

    def apply(self, frame: pl.DataFrame, rows: np.ndarray | None = None) -> np.ndarray:
        """Return the features of rows, float32 (n, features).

        Args:
            frame: columns as `readings` has them read.
            rows: (n,) positions to take; by default all.
        """
        expressions = [value.cast(pl.Float32).alias(name) for name, value in self._features]
        chosen = np.arange(len(frame)) if rows is None else rows
        values = np.empty((len(chosen), len(expressions)), np.float32)
        for at in range(0, len(chosen), ROWS_AT_ONCE):
            part = frame[chosen[at : at + ROWS_AT_ONCE]]
            values[at : at + len(part)] = part.select(expressions).to_numpy()
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
    def _features(self) -> list[tuple[str, pl.Expr]]:
        return [feature for column in self.columns for feature in _features_of(column)]


def fit(
    train: pl.DataFrame, readings: Mapping[str, Reading], missing: Sequence[str], max_categories: int
) -> tuple[Encoding, dict[str, Limits]]:
    """Learn from the training rows.

    Args:
        max_categories: texts of a column that get a feature of their own, the most frequent ones; others share one.

    Returns:
        The encoding, and the limits of columns of numbers with heavy tails.
    """
    columns: list[NumberColumn | DateColumn | TextColumn] = []
    clipped: dict[str, Limits] = {}
    for name, how in readings.items():
        values = train[name]
        if how.kind == "number":
            scale, found = fit_scale(values)
            columns.append(
                NumberColumn(name=name, format=how.format, unit=how.unit, scaled=how.scaled, scale=scale)
            )
            if found is not None:
                clipped[name] = found
        elif how.kind == "date":
            parts = {part: train.select(_part(pl.col(name), part)).to_series() for part in PARTS}
            kept = {
                part: fit_scale(series)[0]
                for part, series in parts.items()
                if part == "days" or series.n_unique() > 1
            }
            columns.append(DateColumn(name=name, format=how.format, parts=kept))
        else:
            columns.append(_texts(values, max_categories))
    return Encoding(columns=tuple(columns), missing=tuple(missing)), clipped


PARTS = ("days", "month", "weekday", "hour")


def _features_of(column: NumberColumn | DateColumn | TextColumn) -> Iterator[tuple[str, pl.Expr]]:
    """Name each feature of a column, with how it is computed."""
    value = pl.col(column.name)
    if isinstance(column, NumberColumn):
        yield column.name, scaled(value, column.scale)
    elif isinstance(column, DateColumn):
        for part, scale in column.parts.items():
            yield f"{column.name} {part}", scaled(_part(value, part), scale)
    else:
        for text in column.texts:
            yield f"{column.name}={text}", (value == text).fill_null(False)
        if column.others:
            yield f"{column.name}=(others)", (~value.is_in(column.texts)).fill_null(False)
        if column.missing:
            yield f"{column.name}=(missing)", value.is_null()


def _part(days: pl.Expr, part: str) -> pl.Expr:
    """A number of a date: days since 1970, month 1 to 12, weekday 1 to 7 from Monday, hour 0 to 23."""
    if part == "days":
        return days
    date = (days * DAY_MILLISECONDS).round().cast(pl.Int64).cast(pl.Datetime("ms"))
    numbers = {"month": date.dt.month, "weekday": date.dt.weekday, "hour": date.dt.hour}
    return numbers[part]().cast(pl.Float64)


def _reading(column: NumberColumn | DateColumn | TextColumn) -> Reading:
    if isinstance(column, NumberColumn):
        return Reading("number", column.format, column.unit, column.scaled)
    return Reading("date", column.format) if isinstance(column, DateColumn) else Reading("text")


def _texts(values: pl.Series, most: int) -> TextColumn:
    counts = values.drop_nulls().value_counts(sort=False).sort("count", values.name, descending=[True, False])
    texts = counts[values.name].to_list()
    return TextColumn(
        name=values.name,
        texts=tuple(sorted(texts[:most])),
        others=len(texts) > most,
        missing=values.null_count() > 0,
    )
