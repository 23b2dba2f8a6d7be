"""The rows of a file: read, checked to be whole, and reported."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import polars as pl

from core.counting import counted
from core.data.tables.files.source import Damaged, Source
from core.data.tables.values.guess import MOSTLY, guess_readings
from core.data.tables.values.read import Leftover, Values, read_values, swapped
from core.data.tables.values.reading import TIME, Reading, Rules, quoted
from core.errors import DataError
from core.remedies import Remedy, setting, worded

__all__ = ["SAMPLE_ROWS", "ReadRows", "missing_setting", "read_known", "read_rows"]

SAMPLE_ROWS = 10_000
MIN_READ = 0.5
"""Part of the values of a known column that must be what it is known to hold."""
MAX_NAMES, MAX_TEXTS, MAX_LINES = 12, 4, 5


@dataclass(frozen=True)
class ReadRows:
    """The rows of a file.

    Attributes:
        source: as it was opened in the end.
        readings: how each column was read; columns that cannot be read are not among them.
        notes: a line for each thing that was inferred or left out.
        absent: see `Values`.
    """

    source: Source
    readings: dict[str, Reading]
    frame: pl.DataFrame
    notes: tuple[str, ...]
    absent: dict[str, Counter[str]]


def read_rows(source: Source, columns: Sequence[str], rules: Rules) -> ReadRows:
    """Find out what columns hold, and read them.

    Raises:
        DataError: a row has too many fields or too few, or the file is damaged.
    """
    try:
        return _read_rows(source, columns, rules)
    except Damaged as damaged:
        careful = source.with_care()
        if careful is None:
            raise DataError(damaged.message, damaged.hint) from None
        lacking = [name for name in columns if name not in careful.names]
        if lacking:
            raise DataError(damaged.message, damaged.hint) from None
        return _read_rows(careful, columns, rules)


def read_known(source: Source, readings: Mapping[str, Reading], missing: Sequence[str]) -> ReadRows:
    """Read columns of which it is known what they hold; others may be there too, and in any order.

    Raises:
        DataError: a column is not there, a row has too many fields or too few, or most values of a column are of
            another kind.
    """
    lacking = [name for name in readings if name not in source.names]
    if lacking:
        some = ", ".join(lacking[:5]) + (f" and {len(lacking) - 5:,} more" if len(lacking) > 5 else "")
        close = get_close_matches(lacking[0], source.names, n=1)
        near = f"There is '{close[0]}'. " if close else ""
        raise DataError(
            f"{source.path.name} lacks {some}", f"{near}Its columns: {', '.join(source.names[:MAX_NAMES])}"
        )
    try:
        values = _values(source, readings, missing)
    except Damaged as damaged:
        careful = source.with_care()
        if careful is None:
            raise DataError(damaged.message, damaged.hint) from None
        return read_known(careful, readings, missing)
    for name, leftover in values.leftovers.items():
        if leftover.share < MIN_READ or leftover.odd.total() == leftover.filled:
            _refuse(source, name, leftover, readings[name])
    return ReadRows(
        source, dict(readings), values.frame, tuple(_odd_notes(source, values, missing)), values.absent
    )


def _read_rows(source: Source, columns: Sequence[str], rules: Rules) -> ReadRows:
    schema = source.schema()
    unread = {name: schema[name] for name in columns if _unreadable(schema[name])}
    columns = [name for name in columns if name not in unread]
    head = source.head(columns, SAMPLE_ROWS)
    _check_rows(source, head)  # before each of the columns is looked at: one line may have tens of thousands
    guess = guess_readings(head, rules, semicolons=source.semicolons)
    readings, notes = guess.readings, [*source.notes, *guess.notes]
    notes += [_unread_note(name, kind) for name, kind in unread.items()]
    values = _values(source, readings, rules.missing)
    if any(name in leftover.odd for name, leftover in values.leftovers.items()) and not source.careful:
        raise Damaged(f"{source.path.name} repeats its header", "Leave out the second one")
    again = dict[str, Reading]()
    for name, leftover in values.leftovers.items():
        other = swapped(readings[name], leftover)
        if other is not None and rules.day_first is None:
            again[name] = other
        elif leftover.share < MOSTLY and name not in rules.numbers:
            again[name] = Reading("text")
            notes.append(_mixed_note(name, leftover))
    if again:  # numbers in the first rows, and texts in many others
        readings |= again
        more = _values(source, again, rules.missing)
        values = Values(
            values.frame.with_columns(more.frame),
            {name: rest for name, rest in values.leftovers.items() if name not in again} | more.leftovers,
            values.absent | more.absent,
        )
    notes += _written_notes(values, readings)
    notes += _odd_notes(source, values, rules.missing)
    return ReadRows(source, readings, values.frame, tuple(notes), values.absent)


def _values(source: Source, readings: Mapping[str, Reading], missing: Sequence[str]) -> Values:
    values = read_values(source, readings, missing)
    _check_rows(source, values.frame)
    last = source.names[-1]
    if last not in values.frame.columns or values.frame[last].null_count():
        source.check_shape()  # polars takes what lacks at the end of a line for missing values
    return values


def _check_rows(source: Source, frame: pl.DataFrame) -> None:
    if not len(frame):
        raise DataError(
            f"{source.path.name} has no rows", "Its first line names the columns, the others are rows"
        )


def _unreadable(kind: pl.DataType) -> bool:
    return kind.is_nested() or kind in (pl.Binary, pl.Object)


def _unread_note(name: str, kind: pl.DataType) -> str:
    image = isinstance(kind, pl.Struct) and {field.name for field in kind.fields} >= {"bytes", "path"}
    what = "images as Hugging Face keeps them" if image else f"{kind}"
    way = "; a folder of the image files can be read" if image else ""
    return f"left out {name}: it holds {what}, which are not read from tables{way}"


def _written_notes(values: Values, readings: Mapping[str, Reading]) -> list[str]:
    """How numbers and dates were written that are not plain."""
    numbers, times = list[str](), list[str]()
    for name, leftover in values.leftovers.items():
        how = readings[name]
        if how.kind != "number" or not leftover.read:
            continue
        text, value = leftover.example
        line = f"{name} {leftover.read:,} ({quoted(text)} is {value:.12g}{' seconds' if how.format == TIME else ''})"
        (times if how.format == TIME else numbers).append(line)
    commas = [name for name, how in readings.items() if how.kind == "number" and how.format == ","]
    notes = []
    if commas:
        notes.append(f"numbers have decimal commas: {_some(commas)}; data.decimal=point says otherwise")
    if numbers:
        notes.append(
            f"read as numbers, though written otherwise: {_some(numbers)}; data.categories keeps texts"
        )
    if times:
        notes.append(f"read as times: {_some(times)}; data.categories keeps texts")
    return notes


def _odd_notes(source: Source, values: Values, missing: Sequence[str]) -> list[str]:
    notes = []
    for name, leftover in values.leftovers.items():
        if not leftover.odd:
            continue
        listed = _some(
            [
                f"{quoted(text)} {count:,} times" if count > 1 else quoted(text)
                for text, count in leftover.odd.most_common()
            ]
        )
        lines = ", ".join(source.place(int(row)).rpartition(" ")[2] for row in leftover.rows[:MAX_LINES])
        where = "line" if source.text is not None else "row"
        more = " ..." if len(leftover.rows) > MAX_LINES else ""
        notes.append(
            f"{name}: {leftover.odd.total():,} of {leftover.filled:,} values are not numbers or dates and count "
            f"as missing: {listed} ({where} {lines}{more}); "
            f"{worded((missing_setting(missing, list(leftover.odd)[:20]),))} silences this"
        )
    return notes


def missing_setting(missing: Sequence[str], more: Sequence[str]) -> Remedy:
    """Return the setting that adds texts to those for a missing value."""
    return setting("data.missing", json.dumps([*missing, *more], ensure_ascii=False))


def _mixed_note(name: str, leftover: Leftover) -> str:
    listed = _some(
        [
            f"{quoted(text)} {count:,} times" if count > 1 else quoted(text)
            for text, count in leftover.odd.most_common()
        ]
    )
    return (
        f"{name} is mixed: {leftover.filled - leftover.odd.total():,} of {leftover.filled:,} values are numbers or "
        f"dates, others are {listed}; read as texts; data.numbers=[{name}] reads numbers, the others missing"
    )


def _refuse(source: Source, name: str, leftover: Leftover, how: Reading) -> None:
    row = int(leftover.rows[0])
    text = source.rows([row], [name]).item()
    others = f" (and {counted(len(leftover.rows) - 1, 'row')} more)" if len(leftover.rows) > 1 else ""
    wanted = "dates" if how.kind == "date" else "numbers"
    raise DataError(
        f"{source.path.name}, {source.place(row)}, column {name}: got {quoted(text)}, "
        f"where the model takes {wanted}{others}",
        "Correct it, or leave it empty",
    )


def _some(lines: Sequence[str]) -> str:
    return ", ".join(lines[:MAX_TEXTS]) + (
        f" and {len(lines) - MAX_TEXTS:,} more" if len(lines) > MAX_TEXTS else ""
    )
