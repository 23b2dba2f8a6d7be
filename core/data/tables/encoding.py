"""What was learnt from the training rows to make numbers of a table: plain values that JSON holds.

Each column of the file becomes one or more features: a number itself, a date some numbers, a text one feature for each
text that was seen. Nothing here looks at validation or test rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Annotated, Literal

import numpy as np
import polars as pl
from pydantic import Field

from core.data.tables.reading import MILLISECONDS, Reading
from core.options import Options

__all__ = ["Encoding", "fit"]

ROWS_AT_ONCE = 65_536


class Scale(Options):
    """A number made ready: missing ones filled with the median, then mean and deviation of train taken out."""

    fill: float
    mean: float
    std: float


class NumberColumn(Options):
    """One feature."""

    kind: Literal["number"] = "number"
    name: str
    format: str
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
    """All columns, and what stands for a missing value."""

    columns: tuple[Annotated[NumberColumn | DateColumn | TextColumn, Field(discriminator="kind")], ...]
    missing: tuple[str, ...]

    @property
    def readings(self) -> dict[str, Reading]:
        """How the columns of a file are read."""
        return {column.name: Reading(column.kind, getattr(column, "format", "")) for column in self.columns}

    @cached_property
    def features(self) -> tuple[str, ...]:
        """The name of each number that `apply` gives for a row."""
        return tuple(name for name, _ in self._features)

    def apply(self, frame: pl.DataFrame, rows: np.ndarray | None = None) -> np.ndarray:
        """float32 (n, features).

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
        """For each column with texts that train had not, and that have no feature: how many, and the first one."""
        found = {}
        for column in self.columns:
            if isinstance(column, TextColumn) and not column.others:
                strange = frame[column.name].drop_nulls()
                strange = strange.filter(~strange.is_in(column.texts))
                if len(strange):
                    found[column.name] = (len(strange), str(strange[0]))
        return found

    def imputed(self, frame: pl.DataFrame) -> dict[str, int]:
        """For each column of numbers or dates with missing values: how many are filled."""
        counts = {
            column.name: frame[column.name].null_count() for column in self.columns if column.kind != "text"
        }
        return {name: count for name, count in counts.items() if count}

    @cached_property
    def _features(self) -> list[tuple[str, pl.Expr]]:
        return [feature for column in self.columns for feature in _features_of(column)]


def fit(
    train: pl.DataFrame, readings: Mapping[str, Reading], missing: Sequence[str], max_categories: int
) -> Encoding:
    """Learn from the training rows.

    Args:
        max_categories: texts of a column that get a feature of their own, the most frequent ones; others share one.
    """
    columns: list[NumberColumn | DateColumn | TextColumn] = []
    for name, how in readings.items():
        values = train[name]
        if how.kind == "number":
            columns.append(NumberColumn(name=name, format=how.format, scale=_scale(values)))
        elif how.kind == "date":
            parts = {part: train.select(_part(pl.col(name), part)).to_series() for part in PARTS}
            kept = {
                part: _scale(series)
                for part, series in parts.items()
                if part == "days" or series.n_unique() > 1
            }
            columns.append(DateColumn(name=name, format=how.format, parts=kept))
        else:
            columns.append(_texts(values, max_categories))
    return Encoding(columns=tuple(columns), missing=tuple(missing))


PARTS = ("days", "month", "weekday", "hour")


def _features_of(column: NumberColumn | DateColumn | TextColumn) -> Iterator[tuple[str, pl.Expr]]:
    """The features of a column: the name of each, and how it is computed."""
    value = pl.col(column.name)
    if isinstance(column, NumberColumn):
        yield column.name, _scaled(value, column.scale)
    elif isinstance(column, DateColumn):
        for part, scale in column.parts.items():
            yield f"{column.name} {part}", _scaled(_part(value, part), scale)
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
    date = (days * MILLISECONDS).cast(pl.Int64).cast(pl.Datetime("ms"))
    numbers = {"month": date.dt.month, "weekday": date.dt.weekday, "hour": date.dt.hour}
    return numbers[part]().cast(pl.Float64)


def _scaled(value: pl.Expr, scale: Scale) -> pl.Expr:
    return (value.fill_null(scale.fill) - scale.mean) / scale.std


def _scale(values: pl.Series) -> Scale:
    # polars types these as any scalar; those of a column of numbers are numbers.
    fill = float(values.median() or 0)  # type: ignore[arg-type]
    filled = values.fill_null(fill)
    mean, std = float(filled.mean() or 0), float(filled.std(ddof=0) or 0)  # type: ignore[arg-type]  # as above
    return Scale(fill=fill, mean=mean, std=std or 1.0)


def _texts(values: pl.Series, most: int) -> TextColumn:
    counts = values.drop_nulls().value_counts(sort=False).sort("count", values.name, descending=[True, False])
    texts = counts[values.name].to_list()
    return TextColumn(
        name=values.name,
        texts=tuple(sorted(texts[:most])),
        others=len(texts) > most,
        missing=values.null_count() > 0,
    )
