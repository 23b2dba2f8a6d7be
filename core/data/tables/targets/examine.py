"""Classes or numbers of a target, and which rows have one."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

import numpy as np
import polars as pl

from core.counting import counted
from core.data.tables.files.source import Source
from core.data.tables.values.numbers import split_number
from core.data.tables.values.reading import Reading
from core.data.targets import LABELS, NUMBERS, AskedTask
from core.errors import DataError
from core.remedies import Hint, setting

__all__ = ["Target", "class_numbers", "counts_of", "examine_target", "spelled_alike"]

MAX_NUMBERED_CLASSES = 20
"""Different whole numbers in a target up to which they are taken for classes."""
MIN_ROWS_A_CLASS = 8
"""Rows of each, on average, from which whole numbers are taken for classes, if they are more than two."""
MAX_MENTIONED_CLASSES = 300
"""Different whole numbers up to which it is mentioned that they could be classes."""
MAX_CLASSES = 1000
MAX_NAMES = 12


@dataclass(frozen=True)
class Target:
    """The values to predict.

    Attributes:
        values: (n,) int64 classes or float64 numbers; (n, k) several of them, labels as uint8 zeros and ones.
        class_names: empty for numbers.
        kept: (m,) positions of the values that are used, among those given; others belong to dropped classes.
        notes: what was inferred or left out, a line each.
        several: the task of several targets a row; empty for one.
        separator: of several labels in one text; empty where each has a column.
    """

    values: np.ndarray
    class_names: tuple[str, ...]
    kept: np.ndarray
    notes: tuple[str, ...] = ()
    several: str = ""
    separator: str = ""


def examine_target(
    values: pl.Series,
    how: Reading,
    asked: AskedTask,
    rare: Literal["drop", "error"],
    source: Source,
    rows: np.ndarray,
) -> Target:
    """Find classes or numbers in a target without missing values.

    Args:
        rare: what to do with classes of a single row.
        rows: (n,) position of each value in the file, for messages.

    Raises:
        DataError: there is nothing to learn from it, or the task does not fit.
    """
    name = values.name
    if values.n_unique() == 1:
        raise DataError(
            f"data.target: {name} is {_show(values[0])} in all {len(values):,} rows of {source.path.name}: "
            "there is nothing to learn",
            "Choose another column",
        )
    if asked == LABELS:
        raise DataError(
            f"data.task: {name} is one column without separators, and several labels are wanted",
            "Name a column of 0 and 1 for each label, as in data.target=[red, green], or one with labels such as "
            "red|green",
        )
    if asked == NUMBERS and how.kind == "text":
        raise DataError(
            f"data.task: {name} holds texts, such as '{values[0]}', which are no numbers",
            ("Use classification, or ", setting("data.numbers", f"[{name}]"), " where most are numbers"),
        )
    if asked == NUMBERS or (asked == "auto" and not _are_classes(values, how)):
        return Target(
            values.to_numpy().astype(np.float64),
            (),
            np.arange(len(values)),
            _numbers_notes(values, how, asked),
        )
    names = values.unique().sort().to_list()
    if len(names) > MAX_CLASSES or (asked == "auto" and len(names) * 2 > len(values)):
        _refuse_many(values, how, names)
    names, kept, notes = _without_single(values, names, rare, source, rows)
    used = values[kept]
    numbers = used.replace_strict(names, range(len(names)), return_dtype=pl.Int64).to_numpy()
    shown = tuple(map(_show, names))
    return Target(numbers, shown, kept, (*notes, *_classes_notes(name, shown, how, asked, len(used))))


def counts_of(values: pl.Series) -> dict[Any, int]:
    """Return how often each value occurs, without a Python object for each row."""
    return dict(values.rename("value").value_counts().iter_rows())


def _refuse_many(values: pl.Series, how: Reading, names: Sequence[object]) -> NoReturn:
    """Refuse a target of too many classes, with what else it could be."""
    hint: Hint = ("Choose another column, or ", setting("data.task", NUMBERS))
    if how.kind == "text":
        hint = "Choose another column"
        if any(split_number(str(text)) for text in names):
            hint = (f"{hint}, or ", setting("data.numbers", f"[{values.name}]"), " where most are numbers")
    raise DataError(
        f"data.target: {values.name} has {len(names):,} different values in {len(values):,} rows, such as "
        f"'{_show(values[0])}': too many for classes",
        hint,
    )


def _without_single(
    values: pl.Series, names: list[Any], rare: Literal["drop", "error"], source: Source, rows: np.ndarray
) -> tuple[list[Any], np.ndarray, list[str]]:
    """Return classes of several rows, the positions of their rows, and a line on the others."""
    counts = counts_of(values)
    alone = {each for each in names if counts[each] == 1}
    if not alone:
        return names, np.arange(len(values)), []
    row = int(rows[values.is_in([*alone]).arg_max() or 0])
    if rare == "error" or len(names) - len(alone) < 2:
        _refuse_single(values.name, sorted(alone), source, row, rare)
    listed = ", ".join(map(_show, sorted(alone)[:MAX_NAMES])) + (" ..." if len(alone) > MAX_NAMES else "")
    note = (
        f"left out {counted(len(alone), 'class', 'classes')} of {values.name} with a single row, "
        "which cannot be in train and in test: "
        f"{listed} ({source.place(row)}{' ...' if len(alone) > 1 else ''}); data.rare_classes=error refuses them"
    )
    kept = np.flatnonzero(~values.is_in([*alone]).to_numpy())
    return [each for each in names if each not in alone], kept, [note]


def class_numbers(
    values: pl.Series, names: Sequence[str], source: Source, rows: np.ndarray
) -> tuple[np.ndarray, list[str]]:
    """Return int64 (n,) numbers of classes that are known already, and notes on those spelled in another way.

    Args:
        rows: (n,) position of each value in the source.

    Raises:
        DataError: a class is not known.
    """
    shown = pl.Series(values.name, list(map(_show, values.to_list())), dtype=pl.String)
    known = {name: at for at, name in enumerate(names)}
    alike = Counter(map(_plain, names))
    plain = {_plain(name): at for name, at in known.items() if alike[_plain(name)] == 1}
    notes = []
    for text in shown.unique().sort().to_list():
        if text not in known and _plain(text) in plain:
            known[text] = plain[_plain(text)]
            notes.append(f"class '{text}' of {source.path.name} is taken for '{names[known[text]]}'")
    numbers = shown.replace_strict(list(known), list(known.values()), default=None, return_dtype=pl.Int64)
    if numbers.null_count():
        first = numbers.is_null().arg_max() or 0
        raise DataError(
            f"{source.path.name}, {source.place(int(rows[first]))}: class '{shown[first]}' of {values.name} "
            "is not in the training file",
            f"Its classes: {', '.join(names[:MAX_NAMES])}",
        )
    return numbers.to_numpy(), notes


def spelled_alike(names: Sequence[str]) -> list[str]:
    """Return the names that differ from another one in case, blanks and punctuation alone."""
    alike = Counter(map(_plain, names))
    return [each for each in names if alike[_plain(each)] > 1]


def _plain(name: str) -> str:
    """A class without what varies in its spelling: case, blanks, and punctuation at its ends."""
    return "".join(name.split()).strip(".,;'\"").lower()


def _are_classes(values: pl.Series, how: Reading) -> bool:
    """Return whether values are texts, or few different whole numbers that recur."""
    if how.kind != "number":
        return how.kind == "text"
    different = values.n_unique()
    whole = bool((values % 1 == 0).all())
    if different == 2:
        return whole and len(values) > 2
    plain = not how.unit and not how.scaled and not how.format
    return (
        plain and whole and different <= MAX_NUMBERED_CLASSES and len(values) >= MIN_ROWS_A_CLASS * different
    )


def _numbers_notes(values: pl.Series, how: Reading, asked: AskedTask) -> tuple[str, ...]:
    different = values.n_unique()
    if asked != "auto" or how.kind != "number" or how.unit or different > MAX_MENTIONED_CLASSES:
        return ()
    if 2 * different > len(values) or not bool((values % 1 == 0).all()):
        return ()
    return (
        f"{values.name} has {different:,} different whole numbers, read as numbers to predict; "
        "data.task=classification reads classes",
    )


def _classes_notes(name: str, names: Sequence[str], how: Reading, asked: AskedTask, rows: int) -> list[str]:
    notes = []
    if how.kind == "number" and len(names) > 2 and asked == "auto":
        notes.append(
            f"{name} has {len(names):,} different whole numbers, read as classes; data.task=regression reads numbers"
        )
    same = spelled_alike(names)
    if same:
        notes.append(
            f"classes of {name} that differ in case, blanks or points alone are kept apart: "
            f"{', '.join(same[:MAX_NAMES])}"
        )
    return notes


def _refuse_single(name: str, alone: Sequence[object], source: Source, row: int, rare: str) -> NoReturn:
    others = f" (and {len(alone) - 1:,} more classes)" if len(alone) > 1 else ""
    raise DataError(
        f"data.target: class {_show(alone[0])} of {name} has a single row ({source.place(row)}){others}, "
        "which cannot be both in train and in test",
        "Add rows of it, leave that one out, or join it with another class"
        + ("; data.rare_classes=drop leaves it out" if rare == "error" else ""),
    )


def _show(value: object) -> str:
    return f"{value:.15g}" if isinstance(value, float) else str(value)
