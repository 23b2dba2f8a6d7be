"""Kinds of the columns of a table, found from their first rows."""

import datetime
import re
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from itertools import islice

import polars as pl

from core.data.tables.values.dates import EPOCH, SHORT_YEARS, moment
from core.data.tables.values.missing import ABSENT_WORDS, missing_texts
from core.data.tables.values.reading import Reading, Rules, parse, quoted
from core.data.tables.values.styles import (
    GROUPS_OF_THREE,
    Style,
    beside_percent,
    date_style,
    number_style,
    time_style,
)

__all__ = ["MOSTLY", "Guess", "guess_readings"]

MOSTLY = 0.9
"""Part of a column that must be numbers (dates) for the rest to be odd values; with fewer, all are texts."""
MIXED = 0.5
"""Part of a column that must be numbers for it to be reported as mixed."""
FIRST_TEXTS, MAX_TEXTS = 20, 1000
"""Different texts that are looked at before a column is taken for text, and at most."""
UNIX_NAME = re.compile(
    r"(^|_|\b)(unix|epoch|timestamp|time|date|datetime|ts|created|updated|at|utc|ms)(_|\b|$)", re.I
)
UNIX_SECONDS = (3e8, 4.2e9)
"""From 1979 to 2103."""
COMPACT_DATES = (17_000_101, 22_001_231)
MAX_SHOWN = 4
CODE_LENGTH = 3
"""Digits from which texts of one length with leading zeros are codes, such as postal codes."""


class Guess:
    """Readings of columns, and a line for each decision that could have been another."""

    def __init__(self) -> None:
        self.readings: dict[str, Reading] = {}
        self.notes: list[str] = []


def guess_readings(head: pl.DataFrame, rules: Rules, *, semicolons: bool) -> Guess:
    """Find how to read each column.

    Args:
        head: the first rows, as they stand in the file; columns of text, or typed ones.
        semicolons: whether the file is separated by semicolons, as where commas are decimal marks.
    """
    guess = Guess()
    marks = missing_texts(rules.missing)
    plain = _plain_numbers(head, marks, rules, semicolons)
    without_digits = _without_digits(head, marks) - {*rules.numbers}
    words = {*rules.categories} | without_digits
    typed = {name for name, kind in head.schema.items() if kind.is_numeric() or kind.is_temporal()}
    known = _known(head, [name for name in head.columns if name not in words | plain | typed], marks)
    ambiguous: dict[str, Style] = {}
    for name, kind in head.schema.items():
        if name in words:
            guess.readings[name] = Reading("text")
        elif name in plain or kind.is_numeric() or kind in (pl.Time, pl.Duration):
            guess.readings[name] = Reading("number")
        elif kind.is_temporal():
            guess.readings[name] = Reading("date", "ymd")
        else:
            texts, counts = _different(known[name])
            style = _style(texts, counts, rules, semicolons, name in rules.numbers)
            guess.readings[name] = style.reading
            parts = None if name in rules.numbers else beside_percent(texts, style.reading)
            if parts is not None:
                guess.readings[name] = Reading("text")
                guess.notes.append(_percent_note(name, *parts))
            elif style.reading.kind == "text" and style.share >= MIXED and style.share < MOSTLY:
                guess.notes.append(_mixed_note(name, texts, counts))
            elif style.ambiguous and style.reading.kind == "number":
                ambiguous[name] = style
            elif style.ambiguous:
                guess.notes.append(_days_note(name, style))
    clear = _clear_marks(guess, ambiguous, head)
    if clear == {","} and not semicolons and not rules.decimal:
        dotted = _grouped_alone(guess, head, plain, marks)
        ambiguous |= {
            name: Style(Reading("number"), 0.0, _three_digits(dotted[name])) for name in dotted.columns
        }
        known = known.with_columns(dotted)
    _settle_decimals(guess, ambiguous, clear, known, semicolons)
    _short_years(guess, known)
    _codes_with_zeros(guess, head, plain, rules)
    _dates_in_numbers(guess, head, rules)
    return guess


def _plain_numbers(head: pl.DataFrame, marks: frozenset[str], rules: Rules, semicolons: bool) -> set[str]:
    """The columns of text that hold plain numbers, found for all at once: a table may have thousands."""
    names = [name for name, kind in head.schema.items() if kind == pl.String]
    if not names or not len(head):
        return set()
    absent = sorted(marks | ABSENT_WORDS)
    texts = pl.col(names).str.strip_chars()
    counts = head.select(
        (~texts.str.to_lowercase().is_in(absent)).sum().name.suffix(" filled"),
        texts.cast(pl.Float64, strict=False).is_finite().sum().name.suffix(" read"),
    ).row(0)
    filled, read = counts[: len(names)], counts[len(names) :]
    found = {name for name, n, of in zip(names, read, filled, strict=True) if of and n >= MOSTLY * of}
    if semicolons or rules.decimal == ",":
        with_dots = (
            head.select(pl.col(sorted(found)).str.contains(".", literal=True).any()).row(0) if found else ()
        )
        dotted = [name for name, dots in zip(sorted(found), with_dots, strict=True) if dots]
        found -= {name for name in dotted if _grouped(head[name], marks)}
    return found


def _without_digits(head: pl.DataFrame, marks: frozenset[str]) -> set[str]:
    """The columns of texts without any digit, found for all at once, too."""
    names = [name for name, kind in head.schema.items() if kind == pl.String]
    if not names or not len(head):
        return set()
    absent = sorted(marks | ABSENT_WORDS)
    digits = head.select(pl.col(names).str.contains(r"[\d\p{No}]").any()).row(0)
    words = [name for name, has in zip(names, digits, strict=True) if not has]
    if not words:
        return set()
    known = head.select((~pl.col(words).str.strip_chars().str.to_lowercase().is_in(absent)).any()).row(0)
    return {name for name, has in zip(words, known, strict=True) if has}


def _grouped(values: pl.Series, marks: frozenset[str]) -> bool:
    """Return whether every point in a column has three digits behind it."""
    dots = values.drop_nulls().str.strip_chars()
    dots = dots.filter(dots.str.contains(".", literal=True) & ~dots.str.to_lowercase().is_in(sorted(marks)))
    return all(map(GROUPS_OF_THREE.fullmatch, dots.str.strip_chars_start("+-").to_list()))


def _known(head: pl.DataFrame, names: Sequence[str], marks: frozenset[str]) -> pl.DataFrame:
    """Columns as texts, null where a value is missing, made for all at once, too."""
    texts = pl.col(names).cast(pl.String).str.strip_chars()
    return head.select(pl.when(~texts.str.to_lowercase().is_in(sorted(marks))).then(texts))


def _different(values: pl.Series) -> tuple[list[str], list[int]]:
    """The first different texts of a column in the order of the rows, and how often each occurs."""
    counts = Counter(text for text in values.to_list() if text is not None)
    return list(islice(counts, MAX_TEXTS)), list(islice(counts.values(), MAX_TEXTS))


def _style(
    texts: Sequence[str], counts: Sequence[int], rules: Rules, semicolons: bool, wanted: bool
) -> Style:
    """The way that reads most of a column; texts where none reads enough."""
    if not texts:
        return Style(Reading("number"), 1.0)
    known = [
        (text, count) for text, count in zip(texts, counts, strict=True) if text.lower() not in ABSENT_WORDS
    ]
    if not known:
        return Style(Reading("text"), 1.0)
    texts, counts = zip(*known, strict=True)
    if not wanted and not any(any(letter.isdigit() for letter in text) for text in texts[:FIRST_TEXTS]):
        return Style(Reading("text"), 1.0)
    styles = [
        number_style(texts, counts, decimal=rules.decimal, semicolons=semicolons),
        time_style(texts, counts),
    ]
    best = max(styles, key=lambda style: style.share)
    if best.share < MOSTLY and not wanted:
        few = texts[:FIRST_TEXTS], counts[:FIRST_TEXTS]
        if max(date_style(*few, day_first=None, semicolons=False).share, 0) >= MIXED:
            dates = date_style(texts, counts, day_first=rules.day_first, semicolons=semicolons)
            best = max(best, dates, key=lambda style: style.share)
    return best if best.share >= MOSTLY or wanted else Style(Reading("text"), best.share)


def _settle_decimals(
    guess: Guess,
    ambiguous: Mapping[str, Style],
    clear: Set[str],
    known: pl.DataFrame,
    semicolons: bool,
) -> None:
    """Read numbers whose decimal mark is not clear as other columns of the file are written; report them."""
    for name, style in ambiguous.items():
        why = style.ambiguous
        if len(clear) == 1:
            texts, counts = _different(known[name])
            again = number_style(texts, counts, decimal=next(iter(clear)), semicolons=semicolons)
            if again.share >= style.share:
                guess.readings[name], why = again.reading, f"{why}; other columns have such decimals"
        mark = "comma" if guess.readings[name].format == "," else "point"
        other = "point" if mark == "comma" else "comma"
        guess.notes.append(
            f"{name}: {why}: the decimal mark is taken to be a {mark}; data.decimal={other} says otherwise"
        )


def _clear_marks(guess: Guess, ambiguous: Mapping[str, Style], head: pl.DataFrame) -> set[str]:
    """The decimal marks that columns of the file show; looked for only where one is not clear, or a comma."""
    numbers = {
        name: how for name, how in guess.readings.items() if how.kind == "number" and name not in ambiguous
    }
    if not ambiguous and not any(how.format == "," for how in numbers.values()):
        return set()
    return {how.format or "." for name, how in numbers.items() if _has_decimals(head[name], how)}


def _grouped_alone(guess: Guess, head: pl.DataFrame, plain: set[str], marks: frozenset[str]) -> pl.DataFrame:
    """The columns of plain numbers, some with a point, where every point has three digits behind it."""
    names = [name for name in head.columns if name in plain and guess.readings[name] == Reading("number")]
    texts = _known(head, names, marks)
    points = texts.select(pl.col(names).str.contains(".", literal=True).any()).row(0) if names else ()
    return texts.select(
        name for name, has in zip(names, points, strict=True) if has and _grouped(texts[name], marks)
    )


def _three_digits(values: pl.Series) -> str:
    """Why the points of a column may part thousands."""
    return f"'{values.filter(values.str.contains('.', literal=True))[0]}' has three digits after each point"


def _has_decimals(values: pl.Series, how: Reading) -> bool:
    """Return whether a column of text shows which decimal mark it has."""
    if how.format == ",":
        return True
    if values.dtype != pl.String or how.unit or how.format:
        return False
    return bool(values.drop_nulls().str.contains(r"^[+-]?(0|\d*)\.(\d{1,2}|\d{4,})$").any())


def _codes_with_zeros(guess: Guess, head: pl.DataFrame, plain: set[str], rules: Rules) -> None:
    """Leave columns of digits of one length as texts where some begin with 0: 02139 is no number."""
    names = sorted(plain - {*rules.numbers})
    if not names:
        return
    zeros = head.select(pl.col(names).str.contains(r"^\s*0\d").any()).row(0)
    for name in (name for name, has in zip(names, zeros, strict=True) if has):
        digits = head[name].drop_nulls().str.strip_chars()
        digits = digits.filter(digits.str.contains(r"^\d+$"))
        lengths = digits.str.len_chars().unique().to_list()
        fits = len(lengths) == 1 and lengths[0] >= CODE_LENGTH
        example = digits.filter(digits.str.starts_with("0"))
        if fits and not _all_dates(digits):
            guess.readings[name] = replace(guess.readings[name], kind="text")
            guess.notes.append(
                f"{name}: codes such as '{example[0]}' stay texts; data.numbers=[{name}] reads numbers"
            )
        elif len(example) and lengths != [2]:
            guess.notes.append(
                f"{name}: '{example[0]}' is read as a number; data.categories=[{name}] keeps texts"
            )


def _dates_in_numbers(guess: Guess, head: pl.DataFrame, rules: Rules) -> None:
    """Find dates written as 20210305, and seconds or milliseconds since 1970 by the column's name."""
    schema = head.schema  # polars makes it anew each time
    names = [
        name
        for name, how in guess.readings.items()
        if how == Reading("number") and name not in rules.numbers and _may_be_date(schema[name])
    ]
    if not names or not len(head):
        return
    numbers = head.select(pl.col(names).cast(pl.Float64, strict=False).fill_nan(None))
    lows, highs = numbers.min().row(0), numbers.max().row(0)
    for name, low, high in zip(names, lows, highs, strict=True):
        if low is None or (low < UNIX_SECONDS[0] and not COMPACT_DATES[0] <= low <= high <= COMPACT_DATES[1]):
            continue
        for scale, word in ((1, "unix s"), (1000, "unix ms")):
            if UNIX_SECONDS[0] * scale <= low <= high <= UNIX_SECONDS[1] * scale and UNIX_NAME.search(
                _spaced(name)
            ):
                guess.readings[name] = Reading("date", word)
                unit = "seconds" if scale == 1 else "milliseconds"
                guess.notes.append(
                    f"{name}: read as {unit} since 1970, by its name; data.numbers=[{name}] keeps numbers"
                )
        if COMPACT_DATES[0] <= low <= high <= COMPACT_DATES[1] and _all_dates(head[name]):
            guess.readings[name] = Reading("date", "ymd")
            guess.notes.append(f"{name}: read as dates such as 20210305; data.numbers=[{name}] keeps numbers")


def _may_be_date(kind: pl.DataType) -> bool:
    return kind == pl.String or kind.is_numeric()


def _all_dates(values: pl.Series) -> bool:
    """Return whether whole numbers of eight digits are all dates, and several."""
    texts = values.cast(pl.Float64, strict=False).drop_nulls().unique().head(MAX_TEXTS).to_list()
    return len(texts) > 2 and all(
        value % 1 == 0 and len(f"{value:.0f}") == 8 and moment(f"{value:.0f}", "ymd") is not None
        for value in texts
    )


def _short_years(guess: Guess, known: pl.DataFrame) -> None:
    """Report what century years of two digits are taken to be in, with the last date of each column."""
    found = list[str]()
    for name, how in guess.readings.items():
        if how.kind == "date" and how.format.endswith(SHORT_YEARS):
            dates = {
                text: day for text in _different(known[name])[0] if (day := parse(text, how)) is not None
            }
            last = max(dates, key=lambda text: dates[text])
            found.append(f"{name} ({quoted(last)} is in {EPOCH + datetime.timedelta(dates[last]):%Y})")
    if found:
        more = f" and {len(found) - MAX_SHOWN:,} more" if len(found) > MAX_SHOWN else ""
        guess.notes.append(
            f"years of two digits are read as 1969 to 2068: {', '.join(found[:MAX_SHOWN])}{more}; "
            "four digits in the file say otherwise"
        )


def _spaced(name: str) -> str:
    """A name with blanks at the humps of its letters."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)


def _mixed_note(name: str, texts: Sequence[str], counts: Sequence[int]) -> str:
    """Report a column of numbers and texts."""
    plain = Reading("number")
    odd = [(text, count) for text, count in zip(texts, counts, strict=True) if parse(text, plain) is None]
    odd = odd or list(zip(texts, counts, strict=True))
    listed = ", ".join(f"{quoted(text)} ({count:,})" for text, count in odd[:MAX_SHOWN])
    more = f" and {len(odd) - MAX_SHOWN:,} more" if len(odd) > MAX_SHOWN else ""
    return (
        f"{name} is mixed: {sum(counts) - sum(count for _, count in odd):,} of {sum(counts):,} values are numbers, "
        f"others are {listed}{more}; read as texts; data.numbers=[{name}] reads numbers, the others missing"
    )


def _percent_note(name: str, part: str, percent: str) -> str:
    """Report a column of percentages with and without their sign."""
    return (
        f"{name} is mixed: {quoted(part)} may be a part of one, beside {quoted(percent)}; read as texts; "
        f"data.numbers=[{name}] reads both as percent"
    )


def _days_note(name: str, style: Style) -> str:
    words = {"ymd": "year first", "dmy": "day first", "mdy": "month first"}
    other = "no" if style.reading.format.startswith("dmy") else "yes"
    return (
        f"{name}: dates such as {style.ambiguous}: read with the {words[style.reading.format[:3]]}; "
        f"data.day_first={other} says otherwise"
    )
