"""Several targets in a table: a column for each, or labels in one column of texts."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import polars as pl

from core.counting import counted
from core.data.arrays.array_targets import soft_labels
from core.data.label_cells import find_separator, label_columns, split_cell
from core.data.several_targets import as_labels, kind_of_several
from core.data.tables.files.source import Source
from core.data.tables.targets.choose import named_column
from core.data.tables.targets.examine import Target, counts_of, spelled_alike
from core.data.tables.targets.lacking import rows_with_target
from core.data.tables.values.reading import Reading
from core.data.targets import LABELS, SHARES, AskedTask
from core.errors import DataError
from core.tasks.registry import task_for

__all__ = [
    "columns_as_numbers",
    "examine_columns",
    "examine_labels",
    "known_targets",
    "named_columns",
    "rows_with_all",
]

TRUTHS = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}
MAX_NAMES = 6
MAX_LABELS = 1000

Policy = Literal["auto", "drop", "error"]


def named_columns(asked: str | Sequence[str], names: Sequence[str], path_name: str) -> list[str]:
    """Return the columns of one or several names; a name may have commas in it.

    Raises:
        DataError: there is none of one of these names, or one is named twice.
    """
    if isinstance(asked, str) or ", ".join(asked) in names:
        whole = asked if isinstance(asked, str) else ", ".join(asked)
        return [named_column(whole, names, path_name)]
    found = [named_column(name, names, path_name) for name in asked]
    twice = [name for place, name in enumerate(found) if name in found[:place]]
    if twice:
        raise DataError(f"data.target: {twice[0]} is named twice", "Name each column once")
    return found


def rows_with_all(
    source: Source,
    frame: pl.DataFrame,
    names: Sequence[str],
    readings: Mapping[str, Reading],
    missing: tuple[str, ...],
    policy: Policy,
    field: str = "data.target",
) -> tuple[np.ndarray, list[str]]:
    """Return positions of the rows with all targets, and a line for each kind of rows left out.

    Raises:
        DataError: as `rows_with_target`.
    """
    positions, notes = np.arange(len(frame)), dict[str, None]()
    for name in names:
        found, lines = rows_with_target(source, frame, name, readings[name], missing, policy, field)
        positions = np.intersect1d(positions, found)
        notes |= dict.fromkeys(lines)
    if not len(positions):
        raise DataError(
            f"{field}: no row has all of {_listed(names)}", "Leave out the columns that lack most"
        )
    return positions, list(notes)


def examine_columns(frame: pl.DataFrame, names: Sequence[str], asked: AskedTask) -> Target:
    """Find labels or numbers in some columns without missing values.

    Raises:
        DataError: they are neither, or the task does not fit.
    """
    notes: list[str] = []
    values = columns_as_numbers(frame, names)
    everything = np.arange(len(values))
    if asked == SHARES:
        shares = soft_labels(values, asked, "data.target", notes)
        return Target(shares, tuple(names), everything, tuple(notes), several=task_for(len(names)))
    kind = kind_of_several(values, names, asked, "data.target", notes)
    if kind == LABELS:
        notes += _rare(values, names)
        return Target(as_labels(values), tuple(names), everything, tuple(notes), several=kind)
    return Target(values, (), everything, tuple(notes), several=kind)


def columns_as_numbers(frame: pl.DataFrame, names: Sequence[str]) -> np.ndarray:
    """Return columns as numbers, float64 (n, columns); true and yes are 1, false and no are 0.

    Raises:
        DataError: a column holds other texts.
    """
    columns = []
    for name in names:
        column = frame[name]
        if column.dtype == pl.String:
            texts = column.str.to_lowercase()
            wrong = column.filter(~texts.is_in([*TRUTHS]))
            if len(wrong):
                raise DataError(
                    f"data.target: {name} holds texts, such as '{wrong[0]}', and several targets are 0 and 1",
                    "Give a column of 0 and 1 for each label, or one column with labels such as red|green",
                )
            column = texts.replace_strict(TRUTHS, return_dtype=pl.Float64)
        columns.append(column.to_numpy().astype(np.float64))
    return np.stack(columns, axis=1)


def examine_labels(
    frame: pl.DataFrame, name: str, asked: AskedTask, missing: Policy
) -> tuple[Target, np.ndarray] | None:
    """Find several labels in each text of a column; None where it does not clearly hold several.

    Args:
        missing: with auto, a row without a text has none of the labels, unless all of it is empty; else it is left
            out.

    Returns:
        The target, and positions of the rows that are used.
    """
    cells = frame[name]
    if cells.dtype != pl.String or asked not in ("auto", LABELS):
        return None
    filled = counts_of(cells.drop_nulls())
    separator = find_separator(filled, name, asked=asked == LABELS)
    if separator is None:
        return None
    there = frame.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
    used = there if missing == "auto" else cells.is_not_null()
    rows = np.flatnonzero(used.to_numpy())
    values, names = label_columns([text or "" for text in cells.filter(used).to_list()], separator)
    if len(names) > MAX_LABELS:
        raise DataError(
            f"data.target: {cells.name} holds {len(names):,} different labels: too many",
            "Choose another column",
        )
    example = next(text for text in cells.drop_nulls() if separator in text)
    notes = [
        f"target: {cells.name} holds several labels a row, separated by '{separator}', such as '{example}': "
        f"{len(names):,} labels; data.task=classification takes each text for one class"
    ]
    without = int((~values.any(axis=1)).sum())
    if without:
        notes.append(
            f"{counted(without, 'row')} without a text in {cells.name}: none of the labels; "
            "data.missing_target=drop leaves them out"
        )
    notes += _rare(values, names) + _alike(names)
    everything = np.arange(len(values))
    return Target(values, names, everything, tuple(notes), several=LABELS, separator=separator), rows


def known_targets(
    source: Source,
    frame: pl.DataFrame,
    names: Sequence[str],
    readings: Mapping[str, Reading],
    target: Target,
    missing: tuple[str, ...],
    policy: Policy,
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return the positions of the rows of a test file with targets, the targets, and a line on those left out.

    Args:
        target: what the training file holds in these columns.

    Raises:
        DataError: a label is not known, or a row holds something else.
    """
    if target.separator:
        filled = frame[names[0]].is_not_null()
        there = frame.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
        rows = np.flatnonzero((there if policy == "auto" else filled).to_numpy())
        return rows, _known_labels(frame[names[0]][rows].to_list(), target, source.path.name), []
    rows, notes = rows_with_all(source, frame, names, readings, missing, policy, "data.test_path")
    values = columns_as_numbers(frame[rows], names)
    if target.values.dtype == np.float32:
        return rows, soft_labels(values, SHARES, "data.test_path", notes), notes
    if target.class_names:
        kind_of_several(values, names, LABELS, "data.test_path", [])
        values = as_labels(values)
    return rows, values, notes


def _known_labels(cells: Sequence[str | None], target: Target, file: str) -> np.ndarray:
    """Return labels that are known already, uint8 (n, labels), of the texts of another file.

    Raises:
        DataError: there is a label that training rows do not have.
    """
    place = {name: at for at, name in enumerate(target.class_names)}
    values = np.zeros((len(cells), len(place)), dtype=np.uint8)
    for row, cell in enumerate(cells):
        for word in split_cell(cell or "", target.separator):
            if word not in place:
                raise DataError(
                    f"data.test_path: the label '{word}' of {file} is not in the training file",
                    f"Its labels: {_listed(target.class_names)}",
                )
            values[row, place[word]] = 1
    return values


def _rare(values: np.ndarray, names: Sequence[str]) -> list[str]:
    """Report labels that hardly any row has, or that all rows have."""
    counts = values.sum(axis=0)
    rare = [name for name, count in zip(names, counts, strict=True) if count < 2 or count > len(values) - 2]
    if not rare:
        return []
    return [f"labels that fewer than two rows have, or lack, cannot be in train and in test: {_listed(rare)}"]


def _alike(names: Sequence[str]) -> list[str]:
    """Report labels that differ in their spelling alone."""
    same = spelled_alike(names)
    return [f"labels differ in spelling alone: {_listed(same)}; each is a label of its own"] if same else []


def _listed(names: Sequence[Any]) -> str:
    return ", ".join(map(str, names[:MAX_NAMES])) + (" ..." if len(names) > MAX_NAMES else "")
