"""Summaries of the columns of a table, in a few values each."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import polars as pl

from core.data.tables.values.reading import Reading

__all__ = ["ColumnSummary", "summarise"]


@dataclass(frozen=True)
class ColumnSummary:
    """One column.

    Attributes:
        low, high: smallest and largest number or date, as text; empty for texts.
        missing: rows without a value.
        different: how many different texts there are; 0 for numbers and dates.
        frequent: the most frequent text.
    """

    name: str
    kind: Literal["number", "date", "text"]
    missing: int
    low: str = ""
    high: str = ""
    different: int = 0
    frequent: str = ""


def summarise(frame: pl.DataFrame, readings: Mapping[str, Reading]) -> tuple[ColumnSummary, ...]:
    """Return a summary of each column that is read."""
    return tuple(_summary(frame[name], how) for name, how in readings.items())


def _summary(values: pl.Series, how: Reading) -> ColumnSummary:
    missing = values.null_count()
    if missing == len(values):
        return ColumnSummary(values.name, how.kind, missing)
    if how.kind == "text":
        counts = values.alias("text").value_counts(sort=True)
        frequent = next(text for text in counts["text"].head(2) if text is not None)
        different = len(counts) - (missing > 0)
        return ColumnSummary(values.name, how.kind, missing, different=different, frequent=str(frequent))
    show = _date if how.kind == "date" else _number
    # polars types an edge as any scalar; those of a column of numbers or dates are numbers.
    low, high = (show(float(edge)) for edge in (values.min(), values.max()))  # type: ignore[arg-type]
    return ColumnSummary(values.name, how.kind, missing, low, high)


def _number(value: float) -> str:
    return f"{value:.6g}"


def _date(days: float) -> str:
    try:
        moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(days=days)
    except OverflowError:
        return f"day {days:,.0f} since 1970"
    return moment.isoformat(sep=" ", timespec="minutes").removesuffix(" 00:00")
