"""What a table is to teach: the column that is predicted, and whether it holds classes or numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

import numpy as np
import polars as pl

from core.data.tables.reading import Reading
from core.data.tables.source import Source
from core.errors import DataError

__all__ = ["Target", "choose_target", "class_numbers", "examine_target"]

USUAL_NAMES = ("target", "label", "class", "y")
MAX_NUMBERED_CLASSES = 20
"""Different whole numbers in a target up to which they are taken for classes."""
MAX_CLASSES = 1000

Kind = Literal["auto", "classification", "regression"]


@dataclass(frozen=True)
class Target:
    """The values to predict.

    Attributes:
        values: (n,) int64 classes or float64 numbers.
        class_names: empty for numbers.
    """

    values: np.ndarray
    class_names: tuple[str, ...]


def choose_target(names: Sequence[str], asked: str, path_name: str) -> tuple[str, str]:
    """The target's column and why it is that one.

    Raises:
        DataError: there is no such column.
    """
    if asked:
        if asked in names:
            return asked, "as given"
        close = get_close_matches(asked, names, n=1, cutoff=0.5)
        listed = ", ".join(names[:12]) + (f" and {len(names) - 12:,} more" if len(names) > 12 else "")
        suggestion = f"Did you mean '{close[0]}'? " if close else ""
        raise DataError(
            f"data.target: {path_name} has no column '{asked}'", f"{suggestion}Its columns: {listed}"
        )
    lower = [name.lower() for name in names]
    found = next((names[lower.index(usual)] for usual in USUAL_NAMES if usual in lower), None)
    return (found, "by its name") if found else (names[-1], "the last column")


def examine_target(values: pl.Series, how: Reading, asked: Kind, source: Source, rows: np.ndarray) -> Target:
    """Classes or numbers of a target without missing values.

    Args:
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
    if asked == "regression" and how.kind == "text":
        raise DataError(f"data.task: {name} holds texts, which are no numbers", "Use classification")
    if asked == "regression" or (asked == "auto" and not _are_classes(values, how)):
        return Target(values.to_numpy().astype(np.float64), ())
    names = values.unique().sort().to_list()
    if len(names) > MAX_CLASSES or (asked == "auto" and len(names) * 2 > len(values)):
        raise DataError(
            f"data.target: {name} has {len(names):,} different values in {len(values):,} rows, too many for classes",
            "Choose another column" + (", or data.task=regression" if how.kind != "text" else ""),
        )
    numbers = values.replace_strict(names, range(len(names)), return_dtype=pl.Int64).to_numpy()
    alone = np.flatnonzero(np.bincount(numbers) == 1)
    if len(alone):
        row = int(rows[np.flatnonzero(numbers == alone[0])[0]])
        others = f" (and {len(alone) - 1:,} more classes)" if len(alone) > 1 else ""
        raise DataError(
            f"data.target: class {_show(names[alone[0]])} of {name} has a single row ({source.place(row)}){others}, "
            "which cannot be both in train and in test",
            "Add rows of it, leave that one out, or join it with another class",
        )
    return Target(numbers, tuple(map(_show, names)))


def class_numbers(values: pl.Series, names: Sequence[str], source: Source, rows: np.ndarray) -> np.ndarray:
    """int64 (n,) numbers of classes that are known already, and that stand in these rows of a source.

    Raises:
        DataError: a class is not known.
    """
    shown = pl.Series(values.name, list(map(_show, values.to_list())), dtype=pl.String)
    numbers = shown.replace_strict(list(names), range(len(names)), default=None, return_dtype=pl.Int64)
    if numbers.null_count():
        first = numbers.is_null().arg_max() or 0
        raise DataError(
            f"{source.path.name}, {source.place(int(rows[first]))}: class '{shown[first]}' of {values.name} "
            "is not in the training file",
            f"Its classes: {', '.join(names[:12])}",
        )
    return numbers.to_numpy()


def _are_classes(values: pl.Series, how: Reading) -> bool:
    """Texts, or few different whole numbers that come back."""
    if how.kind != "number":
        return how.kind == "text"
    different = values.n_unique()
    return (
        different <= MAX_NUMBERED_CLASSES and 2 * different <= len(values) and bool((values % 1 == 0).all())
    )


def _show(value: object) -> str:
    return f"{value:.15g}" if isinstance(value, float) else str(value)
