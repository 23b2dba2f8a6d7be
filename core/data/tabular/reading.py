"""What the columns of a table hold: numbers, dates or texts, found from their values; and how these are read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from core.data.tabular.layout import quoted
from core.data.tabular.source import Source
from core.errors import DataError

__all__ = ["Reading", "find_readings", "is_bad", "mistaken", "read_columns", "refuse_bad"]

SAMPLE_ROWS = 10_000
MOSTLY = 0.9
"""Part of a column that must be numbers (dates) for the others to be mistakes; with fewer, all are texts."""
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
    head = source.head(columns, SAMPLE_ROWS)
    return {
        name: Reading("text") if name in texts else _guess(head[name], missing, source) for name in columns
    }


def read_columns(source: Source, readings: Mapping[str, Reading], missing: Sequence[str]) -> pl.DataFrame:
    """Read columns: float64 numbers, dates as float64 days since 1970, texts; null where a value is missing.

    A number or date that cannot be read becomes NaN; see `refuse_bad`.
    """
    schema = source.frame.collect_schema()
    marks = _spellings(missing)
    return source.collect(*(_values(name, schema[name], how, marks) for name, how in readings.items()))


def is_bad(values: pl.Series) -> pl.Series:
    """Which values could not be read, or are infinite."""
    return (~values.is_finite()).fill_null(False) if values.dtype.is_float() else values.is_null() & False


def mistaken(frame: pl.DataFrame, readings: Mapping[str, Reading]) -> dict[str, Reading]:
    """The columns that hold texts after all: fewer of their values could be read than the first rows promised."""
    numbers = [name for name, how in readings.items() if how.kind != "text"]
    bad = {name: is_bad(frame[name]).sum() for name in numbers}
    return {
        name: Reading("text")
        for name, count in bad.items()
        if count > (1 - MOSTLY) * (len(frame) - frame[name].null_count())
    }


def refuse_bad(source: Source, frame: pl.DataFrame, readings: Mapping[str, Reading]) -> None:
    """Make sure that every number and date could be read.

    Raises:
        DataError: it names the row and the column, and shows the text.
    """
    for name, how in readings.items():
        bad = is_bad(frame[name])
        if not bad.any():
            continue
        row = bad.arg_max() or 0
        text = source.rows([row], [name]).item()
        more = int(bad.sum()) - 1
        others = f" (and {more:,} rows more)" if more else ""
        wanted = "finite numbers" if how.kind == "number" else "dates"
        raise DataError(
            f"{source.path.name}, {source.place(row)}, column {name}: got {quoted(text)}, "
            f"where other rows hold {wanted}{others}",
            "Correct it, put it into data.missing, or the column into data.categories or data.drop",
        )


def _guess(values: pl.Series, missing: Sequence[str], source: Source) -> Reading:
    """How to read a column that begins with these values."""
    kind = values.dtype
    if kind.is_numeric():
        return Reading("number")
    if kind.is_temporal() and kind not in (pl.Time, pl.Duration):
        return Reading("date")
    if kind not in (pl.String, pl.Boolean, pl.Categorical, pl.Enum, pl.Null):
        raise DataError(
            f"{source.path.name}, column {values.name}: holds {kind}", f"--set data.drop=[{values.name}]"
        )
    texts = values.cast(pl.String).str.strip_chars()
    texts = texts.filter(texts.is_not_null() & ~texts.is_in(_spellings(missing))).unique()
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


def _values(name: str, kind: pl.DataType, how: Reading, marks: list[str]) -> pl.Expr:
    column = pl.col(name)
    if kind.is_temporal() and how.kind == "date":
        return _days(column.cast(pl.Datetime("ms")))
    if kind.is_numeric() and how.kind == "number":
        return _without(column.cast(pl.Float64).fill_nan(None), marks)
    raw = column.cast(pl.String)
    text = raw.str.strip_chars()
    given = ~text.is_in(marks)
    if how.kind == "text":
        return pl.when(given).then(text).alias(name)
    reader = _number if how.kind == "number" else _days_of
    slow = pl.coalesce(reader(text, how.format).fill_nan(None), pl.when(given).then(float("nan")))
    quick = reader(raw, how.format)  # nearly all values; polars computes the rest only where it is needed
    read = pl.when(quick.is_finite()).then(quick).otherwise(slow).alias(name)
    return _without(read, marks) if how.kind == "number" else read


def _without(numbers: pl.Expr, marks: list[str]) -> pl.Expr:
    """Numbers, and null where one stands for a missing value, such as -999."""
    meant = pl.Series(marks).cast(pl.Float64, strict=False).fill_nan(None).drop_nulls().to_list()
    return pl.when(~numbers.is_in(meant)).then(numbers) if meant else numbers


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
