"""Reading what `data.group`, `time`, `split` and `weight` name: a column of the data, or a file beside it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.data.division.assigned import assign
from core.data.division.by import ColumnValues, SplitBy, groups_of
from core.data.division.files import SampleNames, read_split_file, read_values_file
from core.data.division.times import parse_gap, parse_times
from core.data.sample_weights import as_weights
from core.errors import DataError

if TYPE_CHECKING:
    from core.data.options import DataOptions

__all__ = ["no_column", "read_split_by"]

MAX_LISTED = 8

Lookup = Callable[[str, str], ColumnValues | None]
"""Given the field of the configuration and a name: the column of this name; None where there is none."""


def no_column(field: str, name: str) -> ColumnValues | None:
    """Return nothing: the column of data that has none."""
    return None


def read_split_by(
    options: "DataOptions",
    samples: SampleNames,
    column: Lookup = no_column,
    names: Sequence[str] = (),
    rows: np.ndarray | None = None,
) -> SplitBy:
    """Read what splits are made by, for each sample.

    Args:
        names: of columns, for messages.
        rows: positions of the samples that are used; by default all.

    Raises:
        DataError: a column or file is not there, or does not hold what it should.
    """
    notes: list[str] = []
    groups = times = assigned = None
    dated = False
    used = np.arange(samples.count) if rows is None else rows
    if options.group:
        groups = groups_of(_values(options, "group", samples, column, names).values[used])
    if options.time:
        given = _values(options, "time", samples, column, names)
        times, dated = parse_times(replace(given, values=given.values[used]), options.time, used)
    elif options.gap:
        raise DataError("data.gap: got a gap without data.time", "Set data.time, or leave it out")
    if options.split:
        found = column("split", options.split)
        if found is not None:
            assigned, notes = assign(found.values[used], options.split)
        else:
            assigned, notes = read_split_file(_file(options, "split", names), samples)
            assigned = assigned[used]
        if not (assigned == 0).any():
            raise DataError(f"data.split: {options.split} has no train samples", "Call some of them train")
    weights = None
    if options.weight:
        given = _values(options, "weight", samples, column, names)
        weights = as_weights(given.values[used], f"data.weight: {options.weight}")
    return SplitBy(groups, times, dated, parse_gap(options.gap, dated), assigned, tuple(notes), weights)


def _values(
    options: "DataOptions", field: str, samples: SampleNames, column: Lookup, names: Sequence[str]
) -> ColumnValues:
    """The column or the file that a field names, with a value for each sample."""
    name = getattr(options, field)
    found = column(field, name)
    if found is not None:
        if len(found.values) != samples.count:
            raise DataError(
                f"data.{field}: {name} has {len(found.values):,} values for {samples.count:,} samples",
                "Give one for each sample",
            )
        return found
    path = _file(options, field, names)
    return ColumnValues(np.asarray(read_values_file(path, samples, f"data.{field}")), source=path.name)


def _file(options: "DataOptions", field: str, names: Sequence[str]) -> Path:
    """The file that a field names, as seen from here or from the folder of the data.

    Raises:
        DataError: there is neither a column nor a file of this name.
    """
    name = getattr(options, field)
    given = Path(name).expanduser()
    for path in (given, Path(getattr(options, "path", "")).expanduser().parent / given):
        if path.is_file() or (field == "split" and path.is_dir()):
            return path
    close = get_close_matches(name, names, n=1)
    near = f"Did you mean '{close[0]}'? " if close else ""
    some = ", ".join(names[:MAX_LISTED]) + (" ..." if len(names) > MAX_LISTED else "")
    what = "neither a column nor a file" if names else "no file"
    raise DataError(
        f"data.{field}: there is {what} '{name}'",
        f"{near}Its columns: {some}" if names else "Give a file with a value for each sample",
    )
