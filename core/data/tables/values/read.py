"""Columns as numbers, days and texts, with what could not be read."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from core.data.tables.files.source import Source
from core.data.tables.values.dates import order_of
from core.data.tables.values.guess import MOSTLY
from core.data.tables.values.missing import ABSENT_WORDS, missing_numbers, missing_texts
from core.data.tables.values.on_disk import values_of
from core.data.tables.values.reading import TIME, Reading, parse

__all__ = ["Leftover", "Values", "read_values", "swapped"]

LARGEST = 1e38
"""About the largest number that float32 holds."""
DAY_MILLISECONDS = 86_400_000
FAST_DATES = {
    "ymd": (
        "%Y-%m-%d",
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%d %H:%M",
        "%Y-%m-%dT%H:%M:%S",
        "%Y-%m-%dT%H:%M:%SZ",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y/%m/%d",
        "%Y/%m/%d %H:%M:%S",
        "%Y%m%d",
    ),
    "dmy": ("%d.%m.%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%d/%m/%Y", "%d/%m/%Y %H:%M", "%d-%m-%Y"),
    "mdy": ("%m/%d/%Y", "%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%m-%d-%Y"),
}
"""Formats that polars reads fast; whatever does not fit is read one by one, to the same values."""


@dataclass(frozen=True)
class Leftover:
    """Values of a column that are not written as plain numbers, or as most of its dates.

    Attributes:
        read: values that could be read after all, and one of them with its number.
        odd: texts that are no values, and how often each occurs; they are missing.
        rows: (n,) positions of rows with odd texts.
        filled: values of the column that are not missing, the odd ones among them.
    """

    read: int
    example: tuple[str, float]
    odd: Counter[str]
    rows: np.ndarray
    filled: int

    @property
    def share(self) -> float:
        """Part of the values that could be read, from 0 to 1; words such as `unknown` do not count."""
        known = self.filled - sum(count for text, count in self.odd.items() if text.lower() in ABSENT_WORDS)
        bad = sum(count for text, count in self.odd.items() if text.lower() not in ABSENT_WORDS)
        return 1 - bad / known if known else 0.0


@dataclass(frozen=True)
class Values:
    """Columns of a table.

    Attributes:
        frame: float64 numbers, dates as float64 days since 1970, texts; null where a value is missing.
        leftovers: of the columns that have some.
        absent: of columns of texts, those that stand for a missing value, and how often each does.
    """

    frame: pl.DataFrame
    leftovers: dict[str, Leftover]
    absent: dict[str, Counter[str]]


def read_values(source: Source, readings: Mapping[str, Reading], missing: Sequence[str]) -> Values:
    """Read columns.

    Raises:
        DataError: the file is damaged.
    """
    schema = source.schema()
    marks, numbers = sorted(missing_texts(missing)), list(missing_numbers(missing))
    head = source.head([name for name, how in readings.items() if how.kind == "date"], 200)
    many: dict[Reading, list[str]] = {Reading("number"): [], Reading("text"): []}
    other = list[str]()
    for name, how in readings.items():
        (many[how] if how in many and schema[name] == pl.String else other).append(name)
    frame = values_of(
        source,
        source.frame.select(
            *(_fast(names, pl.String(), how, marks, "") for how, names in many.items() if names),
            *(
                _fast(
                    [name],
                    schema[name],
                    readings[name],
                    marks,
                    _fast_format(head, schema[name], name, readings[name]),
                ).alias(name)
                for name in other
            ),
        ).select(*readings),
    )
    texts = [name for name, how in readings.items() if how.kind == "text"]
    frame, absent = _known_texts(frame, texts, marks)
    names = [name for name, how in readings.items() if how.kind != "text"]
    counts = frame.select(pl.col(names).is_nan().sum()).row(0) if names else ()
    unread = [name for name, count in zip(names, counts, strict=True) if count]
    leftovers: dict[str, Leftover] = {}
    if unread:
        written = source.collect(*(pl.col(name).cast(pl.String).str.strip_chars() for name in unread))
        for name in unread:
            values, leftovers[name] = _rest(frame[name], written[name], readings[name])
            frame = frame.with_columns(values)
    if numbers:
        known = [name for name in names if readings[name].kind == "number"]
        frame = (
            frame.with_columns(pl.when(~pl.col(known).is_in(numbers)).then(pl.col(known))) if known else frame
        )
    return Values(frame, leftovers, absent)


def swapped(how: Reading, leftover: Leftover) -> Reading | None:
    """Return the reading with day and month exchanged, where that reads what this one could not."""
    order = order_of(how.format)
    swaps = {"dmy": "mdy", "mdy": "dmy"}
    if how.kind != "date" or order[:3] not in swaps or not leftover.odd:
        return None
    other = replace(how, format=swaps[order[:3]] + order[3:])
    read = sum(count for text, count in leftover.odd.items() if parse(text, other) is not None)
    return other if read >= MOSTLY * leftover.odd.total() else None


def _rest(values: pl.Series, texts: pl.Series, how: Reading) -> tuple[pl.Series, Leftover]:
    """A column with what the fast way could not read filled in."""
    numbers = (
        values.to_numpy().copy()
        if not values.null_count()
        else values.fill_null(float("inf")).to_numpy().copy()
    )
    rows = np.flatnonzero(np.isnan(numbers))
    rest = texts[rows]
    different = rest.rename("text").to_frame().group_by("text", maintain_order=True).len()
    known = {text: parse(text, how) for text in different["text"].to_list()}
    known = {
        text: value if value is not None and abs(value) <= LARGEST else None for text, value in known.items()
    }
    read = rest.replace_strict(list(known), list(known.values()), return_dtype=pl.Float64)
    odd = Counter({text: count for text, count in different.iter_rows() if known[text] is None})
    example = next(((text, value) for text, value in known.items() if value is not None), ("", 0.0))
    numbers[rows] = read.fill_null(float("inf")).to_numpy()
    filled = pl.Series(values.name, numbers)
    filled = filled.to_frame().select(pl.when(pl.first().is_finite()).then(pl.first())).to_series()
    bad_rows = rows[read.is_null().to_numpy()]
    return filled, Leftover(
        len(rows) - len(bad_rows), example, odd, bad_rows, len(values) - values.null_count()
    )


def _known_texts(
    frame: pl.DataFrame, names: Sequence[str], marks: list[str]
) -> tuple[pl.DataFrame, dict[str, Counter[str]]]:
    """Columns of texts, null where a value is missing, and the texts that stand for a missing value in each.

    Each different text is looked at once, as most columns have few; and all columns at once, as there may be thousands.
    """
    if not names:
        return frame, {}
    lists = frame.select(pl.col(names).unique().implode())
    lists.columns = [
        str(at) for at in range(len(names))
    ]  # one named as those that `unpivot` makes is an error
    different = lists.unpivot(value_name="text").select(pl.Series("name", names), "text")
    different = different.explode("text").drop_nulls()
    stripped = different["text"].str.strip_chars()
    gone: dict[str, list[str]] = {}
    for name, text in different.filter(stripped.str.to_lowercase().is_in(marks)).iter_rows():
        gone.setdefault(name, []).append(text)
    padded = different.filter(stripped != different["text"])["name"].unique().to_list()
    lacks = {name: pl.col(name).is_in(words) for name, words in gone.items()}
    counts = frame.select(
        pl.col(name).filter(lacking).str.strip_chars().alias("text").value_counts().implode().alias(name)
        for name, lacking in lacks.items()
    )
    absent = {name: Counter[str]() for name in names}
    absent |= {name: Counter({each["text"]: each["count"] for each in counts[name][0]}) for name in lacks}
    nulled = frame.with_columns(pl.when(~lacking).then(pl.col(name)) for name, lacking in lacks.items())
    return nulled.with_columns(pl.col(padded).str.strip_chars()), absent


def _fast(names: Sequence[str], kind: pl.DataType, how: Reading, marks: list[str], format_: str) -> pl.Expr:
    """The expression that reads nearly all values of columns of one kind; NaN where there is another text.

    Texts are those of the file, those for a missing value among them.
    """
    column = pl.col(names)
    if kind in (pl.Time, pl.Duration) and how.kind == "number":
        nanoseconds = column.cast(pl.Int64) if kind == pl.Time else column.dt.total_nanoseconds()
        return nanoseconds / 1e9
    if kind.is_temporal() and how.kind == "date":
        return column.cast(pl.Datetime("ms")).dt.epoch("ms").cast(pl.Float64) / DAY_MILLISECONDS
    if kind.is_numeric() and how.kind == "number":
        value = column.cast(pl.Float64).fill_nan(None)
        return pl.when(value.abs() <= LARGEST).then(value).when(value.is_not_null()).then(float("nan"))
    raw = (column.cast(pl.Int64) if kind.is_float() and how.kind == "date" else column).cast(pl.String)
    if how.kind == "text":
        return raw
    if how.kind == "number":
        quick = _fast_number(raw, how)
    elif how.format.startswith("unix"):
        quick = raw.cast(pl.Float64, strict=False) * (
            (1 if how.format.endswith("ms") else 1000) / DAY_MILLISECONDS
        )
    else:
        quick = _fast_date(raw, format_)
    lowered = raw.str.strip_chars().str.to_lowercase()
    slow = pl.when(~lowered.is_in(marks)).then(float("nan"))  # polars computes it only where it is needed
    return pl.when(quick.abs() <= LARGEST).then(quick).otherwise(slow)


def _fast_number(raw: pl.Expr, how: Reading) -> pl.Expr:
    if how.format == TIME:
        return pl.lit(None, pl.Float64)
    if how.format == ",":
        raw = pl.when(~raw.str.contains(".", literal=True)).then(raw.str.replace(",", ".", literal=True))
    return raw.cast(pl.Float64, strict=False)


def _fast_date(raw: pl.Expr, format_: str) -> pl.Expr:
    if not format_:
        return pl.lit(None, pl.Float64)
    whole = "%H" not in format_
    date = raw.str.strptime(pl.Date if whole else pl.Datetime("ms"), format_, strict=False).cast(
        pl.Datetime("ms")
    )
    date = pl.when(date.dt.year().is_between(1000, 9999)).then(date)
    return date.dt.epoch("ms").cast(pl.Float64) / DAY_MILLISECONDS


def _fast_format(head: pl.DataFrame, kind: pl.DataType, name: str, how: Reading) -> str:
    """The format that fits most of the first dates; empty when none does."""
    if how.kind != "date" or how.format.startswith("unix"):
        return ""
    if kind.is_numeric():
        return "%Y%m%d"
    if kind != pl.String:
        return ""
    texts = head.select(pl.col(name))
    counts = {
        format_: texts.select(_fast_date(pl.col(name), format_).count()).item()
        for format_ in FAST_DATES[order_of(how.format)[:3]]
    }
    best = max(counts, key=lambda format_: counts[format_])
    return best if counts[best] else ""
