"""Rows to predict, encoded as the training rows were."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from core.counting import counted
from core.data.tables.files.source import Source, open_source
from core.data.tables.files.text import TextOptions
from core.data.tables.table import Table
from core.data.tables.values.rows import read_known
from core.data.text.columns import joined

__all__ = ["NewRows", "read_new_rows"]

ID = "id"
"""The column that names rows."""
MAX_NAMES = 8
MAX_NAME_LENGTH = 64
"""Characters of a value that names a row; longer ones are texts."""
ANSWERS = ("class", "prediction")
"""Names of the columns of predictions."""


@dataclass(frozen=True, eq=False)
class NewRows:
    """Rows without a target.

    Attributes:
        ids: a name for each.
        features: float32 (n, features).
        texts: of each row, where the table has columns of texts.
        notes: a line for each thing that was done to them.
        kept: columns that the model does not use, with another short value in each row, such as a customer's number.
    """

    ids: list[str]
    features: np.ndarray
    texts: list[str]
    notes: list[str]
    kept: dict[str, list[str]]


def read_new_rows(path: Path, table: Table) -> NewRows:
    """Read rows of a file in which the columns of a table may stand in any order, among others.

    Raises:
        DataError: the file cannot be read, or lacks a column.
    """
    source = open_source(path, TextOptions(table.separator, "auto", table.header, table.part))
    if (
        source.text is not None
        and source.text.encoding != table.text_encoding
        and source.text.encoding != "utf-8"
    ):
        source = open_source(
            path, TextOptions(table.separator, table.text_encoding, table.header, table.part)
        )
    if not _filled(source).all():
        source = source.with_care() or source  # which tells empty lines from rows without a value
    encoding = table.encoding
    read = read_known(source, table.readings, encoding.missing)
    source, frame = read.source, read.frame
    named = ID in source.names and ID not in table.readings
    rows = np.flatnonzero(_filled(source))
    frame = frame if len(rows) == len(frame) else frame[rows]
    names = source.rows(rows, [ID])[ID].to_list() if named else [str(row) for row in range(len(frame))]
    texts = joined(frame, table.texts)
    kept = _naming(source, rows, table)
    notes = [*source.notes, *_empty(rows), *read.notes, *_notes(source, frame, table, kept)]
    return NewRows(names, encoding.apply(frame), texts, notes, kept)


def _filled(source: Source) -> np.ndarray:
    """Which lines are not empty."""
    return source.collect(pl.any_horizontal(pl.all().is_not_null()))[:, 0].to_numpy()


def _empty(rows: np.ndarray) -> list[str]:
    """Report empty rows above one of the `rows` that are filled: answers that are counted are not beside theirs."""
    count = int(rows[-1]) + 1 - len(rows) if len(rows) else 0
    return [f"left out {counted(count, 'row')} without a value"] if count else []


def _naming(source: Source, rows: np.ndarray, table: Table) -> dict[str, list[str]]:
    """Return the columns without a use whose values tell the rows apart, as they stand in the file."""
    more = [name for name in _unused(source, table) if name not in ANSWERS]
    values = source.rows(rows, more) if more and len(rows) else pl.DataFrame()
    return {name: values[name].to_list() for name in values.columns if _names_rows(values[name].to_list())}


def _names_rows(values: list[str]) -> bool:
    """Return whether texts are there, short, and different in each row."""
    return len(set(values)) == len(values) and all(0 < len(text) <= MAX_NAME_LENGTH for text in values)


def _unused(source: Source, table: Table) -> list[str]:
    known = {*table.columns, table.target, *table.more_targets, ID}
    return [name for name in source.names if name not in known]


def _notes(source: Source, frame: pl.DataFrame, table: Table, kept: Collection[str]) -> list[str]:
    more = [name for name in _unused(source, table) if name not in kept]
    notes = (
        [f"not used: {', '.join(more[:MAX_NAMES])}{' ...' if len(more) > MAX_NAMES else ''}"] if more else []
    )
    if kept:
        notes.append(
            f"written beside the predictions, as their values tell the rows apart: {', '.join(kept)}"
        )
    filled = table.encoding.imputed(frame)
    if filled:
        listed = ", ".join(f"{name} {count:,}" for name, count in filled.items())
        notes.append(f"filled missing values with the median of the training rows: {listed}")
    for name, (count, text) in table.encoding.unseen(frame).items():
        notes.append(
            f"{name}: {counted(count, 'row holds', 'rows hold')} texts that the training rows had not, such as '{text}'"
        )
    return notes
