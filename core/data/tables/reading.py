"""What the columns of a table hold: numbers, dates or texts, found from their values; and how these are read."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from core.data.tables.layout import quoted
from core.data.tables.source import Source
from core.errors import DataError
from core.remedies import setting

__all__ = ["Reading", "find_readings", "mistaken", "read_columns", "refuse_bad"]

SAMPLE_ROWS = 10_000
MOSTLY = 0.9
"""Part of a column that must be numbers (dates) for the others to be mistakes; with fewer, all are texts."""
LARGEST = 1e38
"""About the largest number that float32 holds."""
DATE_FORMATS = (
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M:%S",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d/%m/%Y",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y",
    "%m/%d/%Y %H:%M",
    "%d-%m-%Y",
    "%d %b %Y",
)
MILLISECONDS = 86_400_000
"""Of a day."""


@dataclass(frozen=True)
class Reading:
    """How the values of a column are read.

    Attributes:
        format: of a date; of a number ``,`` where that is the decimal point.
    """

    kind: Literal["number", "date", "text"]
    format: str = ""


def find_readings(
    source: Source, columns: Sequence[str], missing: Sequence[str], texts: Sequence[str] = ()
) -> dict[str, Reading]:
    """How to read each column, from its first rows.

    Args:
        missing: texts that stand for a missing value.
        texts: columns that are read as texts whatever they hold.

    Raises:
        DataError: a column holds lists or other values that are none of these.
    """
    head, marks = source.head(columns, SAMPLE_ROWS), _spellings(missing)
    plain = _mostly_numbers(head, marks)

    def reading(name: str) -> Reading:
        if name in texts:
            return Reading("text")
        return Reading("number") if name in plain else _guess(head[name], marks, source)

    return {name: reading(name) for name in columns}


def read_columns(source: Source, readings: Mapping[str, Reading], missing: Sequence[str]) -> pl.DataFrame:
    """Read columns: float64 numbers, dates as float64 days since 1970, texts; null where a value is missing.

    A number or date that cannot be read becomes NaN; see `refuse_bad`.
    """
    schema = source.frame.collect_schema()
    marks = _spellings(missing)
    numbers = pl.Series(marks).cast(pl.Float64, strict=False).drop_nulls().drop_nans().to_list()
    return source.collect(
        *(_values(name, schema[name], how, marks, numbers) for name, how in readings.items())
    )


def mistaken(frame: pl.DataFrame, readings: Mapping[str, Reading]) -> dict[str, Reading]:
    """The columns that hold texts after all: fewer of their values could be read than the first rows promised."""
    return {
        name: Reading("text")
        for name, count in _bad_counts(frame, readings).items()
        if count > (1 - MOSTLY) * (len(frame) - frame[name].null_count())
    }


def refuse_bad(source: Source, frame: pl.DataFrame, readings: Mapping[str, Reading]) -> None:
    """Make sure that every number and date could be read.

    Raises:
        DataError: it names the row and the column, and shows the text.
    """
    for name, count in _bad_counts(frame, readings).items():
        values = frame[name]
        row = values.to_frame().select(~_fits(name)).to_series().fill_null(False).arg_max() or 0
        text = source.rows([row], [name]).item()
        others = f" (and {count - 1:,} rows more)" if count > 1 else ""
        wanted = "finite numbers" if readings[name].kind == "number" else "dates"
        wanted = f"numbers up to {LARGEST:.0e}" if math.isfinite(values[row]) else wanted
        raise DataError(
            f"{source.path.name}, {source.place(row)}, column {name}: got {quoted(text)}, "
            f"where other rows hold {wanted}{others}",
            "Correct it, put it into data.missing, or the column into data.categories or data.drop",
        )


def _bad_counts(frame: pl.DataFrame, readings: Mapping[str, Reading]) -> dict[str, int]:
    """For each column with numbers or dates that could not be read, or are too large: how many."""
    numbers = [name for name, how in readings.items() if how.kind != "text"]
    counts = frame.select((~_fits(name)).sum() for name in numbers)
    return {name: count for name, count in counts.to_dicts()[0].items() if count} if numbers else {}


def _fits(name: str) -> pl.Expr:
    """Whether a number was read, and float32 holds it."""
    return pl.col(name).abs() <= LARGEST  # to polars, NaN is larger than all numbers


def _mostly_numbers(head: pl.DataFrame, marks: list[str]) -> set[str]:
    """The columns of text that hold numbers, found for all at once: a table may have thousands."""
    names = [name for name, kind in head.schema.items() if kind == pl.String]
    if not names:
        return set()
    texts = pl.col(names).str.strip_chars()
    filled = head.select((~texts.is_in(marks)).sum()).row(0)
    numbers = head.select(_number(texts, "").is_not_null().sum()).row(0)
    return {name for name, n, of in zip(names, numbers, filled, strict=True) if of and n >= MOSTLY * of}


def _guess(values: pl.Series, marks: list[str], source: Source) -> Reading:
    """How to read a column that begins with these values."""
    kind = values.dtype
    if kind.is_numeric():
        return Reading("number")
    if kind.is_temporal() and kind not in (pl.Time, pl.Duration):
        return Reading("date")
    if kind not in (pl.String, pl.Boolean, pl.Categorical, pl.Enum, pl.Null):
        raise DataError(
            f"{source.path.name}, column {values.name}: holds {kind}",
            (setting("data.drop", f"[{values.name}]"),),
        )
    texts = values.cast(pl.String).str.strip_chars()
    texts = texts.filter(texts.is_not_null() & ~texts.is_in(marks)).unique()
    if not len(texts):
        return Reading("number")
    comma = source.layout is not None and source.layout.separator == ";"
    for mark in ("", ",") if comma else ("",):
        if _share(_number(pl.col(values.name), mark), texts) >= MOSTLY:
            return Reading("number", mark)
    format_ = max(DATE_FORMATS, key=lambda each: _share(_date(pl.col(values.name), each), texts))
    dates = _share(_date(pl.col(values.name), format_), texts)
    return Reading("date", format_) if dates >= MOSTLY else Reading("text")


def _share(expression: pl.Expr, texts: pl.Series) -> float:
    """Part of the texts that can be read."""
    return float(texts.to_frame().select(expression)[:, 0].count() / len(texts))


def _values(name: str, kind: pl.DataType, how: Reading, marks: list[str], numbers: list[float]) -> pl.Expr:
    """The expression that reads a column; `marks`, or `numbers` such as -999, stand for a missing value."""
    column = pl.col(name)
    if kind.is_temporal() and how.kind == "date":
        return _days(column.cast(pl.Datetime("ms")))
    if kind.is_numeric() and how.kind == "number":
        return _without(column.cast(pl.Float64).fill_nan(None), numbers)
    raw = column.cast(pl.String)
    text = raw.str.strip_chars()
    given = ~text.is_in(marks)
    if how.kind == "text":
        return pl.when(given).then(text).alias(name)
    reader = _number if how.kind == "number" else _days_of
    slow = pl.coalesce(reader(text, how.format).fill_nan(None), pl.when(given).then(float("nan")))
    quick = reader(raw, how.format)  # nearly all values; polars computes the rest only where it is needed
    read = pl.when(quick.is_finite()).then(quick).otherwise(slow).alias(name)
    return _without(read, numbers) if how.kind == "number" else read


def _without(values: pl.Expr, numbers: list[float]) -> pl.Expr:
    return pl.when(~values.is_in(numbers)).then(values) if numbers else values


def _number(text: pl.Expr, mark: str) -> pl.Expr:
    plain = text.str.replace(",", ".", literal=True) if mark == "," else text
    return plain.cast(pl.Float64, strict=False)


def _date(text: pl.Expr, format_: str) -> pl.Expr:
    whole = "%H" not in format_
    read = text.str.strptime(pl.Date if whole else pl.Datetime("ms"), format_, strict=False)
    return read.cast(pl.Datetime("ms"))


def _days_of(text: pl.Expr, format_: str) -> pl.Expr:
    return _days(_date(text, format_))


def _days(date: pl.Expr) -> pl.Expr:
    return date.dt.epoch("ms").cast(pl.Float64) / MILLISECONDS


def _spellings(missing: Sequence[str]) -> list[str]:
    """How the texts for a missing value may be written; an empty one is always among them."""
    return sorted(
        {"", *(form for text in missing for form in (text, text.lower(), text.upper(), text.capitalize()))}
    )
