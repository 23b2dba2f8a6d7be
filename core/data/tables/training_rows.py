"""The rows of a file that a model learns from: read, with the target that was asked for or stands out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from core.data.division.by import ColumnValues, SplitBy
from core.data.division.files import SampleNames
from core.data.division.read import read_split_by
from core.data.tables import notes
from core.data.tables.columns import useful
from core.data.tables.files.encodings import check_encoding
from core.data.tables.files.source import Source, open_source
from core.data.tables.files.text import TextOptions
from core.data.tables.options import SEPARATORS, Csv
from core.data.tables.targets.choose import TargetUnclear, choose_target, named_column
from core.data.tables.targets.examine import Target, examine_target
from core.data.tables.targets.lacking import rows_with_target
from core.data.tables.targets.names import id_name
from core.data.tables.targets.several import examine_columns, examine_labels, named_columns, rows_with_all
from core.data.tables.values.on_disk import LARGE, held
from core.data.tables.values.reading import Reading, Rules, quoted
from core.data.tables.values.rows import SAMPLE_ROWS, ReadRows, missing_setting, read_rows
from core.data.targets import SHARES
from core.errors import DataError
from core.remedies import worded
from core.tasks.registry import task_for

__all__ = [
    "Rows",
    "columns_to_read",
    "dividing_columns",
    "nothing_to_learn",
    "opened",
    "read_training_rows",
    "rules_of",
]

IGNORED_CLASS = "-100"
"""What PyTorch's losses ignore, and arrays leave out."""


@dataclass(frozen=True)
class Rows:
    """All rows of a file that have a target.

    Attributes:
        frame: every row of the file, all columns but dropped ones.
        positions: (n,) of the rows that are used, in `frame`.
        target_names: the columns that are predicted; `target`: what they hold.
        by: what splits are made by, of the rows that are used.
        notes: what was found.
        absent: of columns of texts, those that stand for a missing value, and how often each does.
    """

    source: Source
    frame: pl.DataFrame
    readings: Mapping[str, Reading]
    positions: np.ndarray
    target_names: tuple[str, ...]
    target: Target
    notes: tuple[str, ...]
    by: SplitBy
    absent: Mapping[str, Counter[str]]

    @property
    def task(self) -> str:
        """Task of the target."""
        return self.target.several or task_for(len(self.target.class_names))

    @cached_property
    def used(self) -> pl.DataFrame:
        """Return the rows that are used, all columns."""
        if len(self.positions) == len(self.frame):
            return self.frame
        if self.frame.estimated_size() < LARGE:
            return self.frame[self.positions]
        is_used = np.zeros(len(self.frame), bool)
        is_used[self.positions] = True
        return held(self.frame.lazy().filter(pl.Series(is_used)))


def read_training_rows(options: Csv, source: Source, *, narrow: bool = False) -> Rows:
    """Read the rows of a file that have a target.

    Args:
        narrow: read the columns of targets and splits alone; the target is chosen by the first rows.

    Raises:
        DataError: the file, or what was asked of it, is wrong.
        TargetUnclear: no target was given, and no column stands out.
    """
    if len(source.names) == 1:
        raise DataError(
            f"{source.path.name} has a single column, {quoted(source.names[0])}",
            "Beside a target there must be something to learn it from; data.separator says what parts the columns",
        )
    dividing = dividing_columns(options, source.names)
    columns, rules = columns_to_read(options, source.names, dividing), rules_of(options, dividing)
    if narrow:
        head = replace(source, frame=source.frame.head(SAMPLE_ROWS), notes=())
        names, why = _target_names(options, read_rows(head, columns, rules), dividing)
        read = read_rows(source, list(dict.fromkeys((*names, *dividing))), rules)
    else:
        read = read_rows(source, columns, rules)
        names, why = _target_names(options, read, dividing)
    source, frame, readings = read.source, read.frame, read.readings
    positions, target, left_out = _target(options, read, names)
    first = notes.chosen(", ".join(names), why, target.class_names, several=target.several)
    positions = positions[target.kept]
    return Rows(
        source,
        frame,
        readings,
        positions,
        tuple(names),
        target,
        (first, *read.notes, *left_out, *target.notes, *_not_features(options, dividing)),
        _split_by(options, read, positions),
        read.absent,
    )


def _target_names(options: Csv, read: ReadRows, dividing: Sequence[str]) -> tuple[list[str], str]:
    """The columns that are predicted, and why these."""
    if not options.target:
        name, why = _chosen(options, read, dividing)
        return [name], why
    names = named_columns(options.target, read.source.names, read.source.path.name)
    for name in names:
        if name not in read.readings:
            raise DataError(
                f"data.target: {name} holds values that are not read from tables", "Choose another column"
            )
    return names, "as given"


def _target(options: Csv, read: ReadRows, names: Sequence[str]) -> tuple[np.ndarray, Target, list[str]]:
    """The positions of the rows that have a target, what it holds, and lines on rows that were left out."""
    source, frame, readings = read.source, read.frame, read.readings
    if len(names) > 1:
        positions, left_out = rows_with_all(
            source, frame, names, readings, options.missing, options.missing_target
        )
        return positions, examine_columns(frame.select(names)[positions], names, options.task), left_out
    name = names[0]
    if options.task == SHARES:
        raise DataError(
            f"data.task: soft labels are several columns, a share of each class, and {name} is one",
            "Name all of them with data.target, or leave data.task at auto",
        )
    labels = examine_labels(frame, name, options.task, options.missing_target)
    if labels is not None:
        return labels[1], labels[0], []
    positions, left_out = rows_with_target(
        source, frame, name, readings[name], options.missing, options.missing_target
    )
    target = examine_target(
        frame[name][positions], readings[name], options.task, options.rare_classes, source, positions
    )
    return positions, target, [*left_out, *_ignored(options, target)]


def _ignored(options: Csv, target: Target) -> list[str]:
    """Report a class by which loss functions ignore samples."""
    if options.task != "auto" or IGNORED_CLASS not in target.class_names:
        return []
    marks = worded((missing_setting(options.missing, [IGNORED_CLASS]),))
    return [
        f"target: {IGNORED_CLASS} is a class like the others; if it marks unknown ones, {marks} leaves them out"
    ]


def dividing_columns(options: Csv, names: Sequence[str]) -> list[str]:
    """Return the columns that splits are made by, or that have the weights of the rows.

    Raises:
        DataError: one is the target, or `data.keep` names another column.
    """
    given = (options.group, options.time, options.split, options.weight)
    found = [name for name in given if name in names]
    targets = [options.target] if isinstance(options.target, str) else options.target
    for name in targets:
        if name in found:
            what = "has the weights of the rows" if name == options.weight else "says how the data is split"
            raise DataError(f"data.target: {name} {what}", "Choose another column")
    for name in options.keep:
        if name not in found:
            raise DataError(
                f"data.keep: {quoted(name)} is none of the columns of data.group, data.time and data.split",
                "All other columns are learnt from anyway, but for those of data.drop",
            )
    return list(dict.fromkeys(found))


def _not_features(options: Csv, dividing: Sequence[str]) -> list[str]:
    """Report the columns that splits are made by and nothing is learnt from."""
    left_out = [name for name in dividing if name not in (*options.keep, options.weight)]
    if not left_out:
        return []
    return [f"not learnt from, as splits are made by it: {', '.join(left_out)}; data.keep learns from it too"]


def _split_by(options: Csv, read: ReadRows, positions: np.ndarray) -> SplitBy:
    """Read what splits are made by, of the rows that are used."""
    frame = read.frame

    def column(field: str, name: str) -> ColumnValues | None:
        if name not in frame.columns:
            return None
        kind = read.readings[name].kind
        values = frame[name].to_numpy() if kind != "text" else np.array(frame[name].to_list(), dtype=object)
        return ColumnValues(values, dates=kind == "date")

    given = [name for name in (options.group, options.time, options.split, options.weight) if name]
    ids = dict[str, np.ndarray]()
    if any(name not in frame.columns for name in given):
        named = [name for name, how in read.readings.items() if how.kind == "text" or id_name(name)]
        ids = {name: np.array([_as_id(value) for value in frame[name].to_list()]) for name in named}
    return read_split_by(options, SampleNames(len(frame), ids), column, frame.columns, positions)


def _as_id(value: object) -> str:
    """A value of a column as a file of splits has it: whole numbers without a point."""
    return f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value)


def _chosen(options: Csv, read: ReadRows, dividing: Sequence[str]) -> tuple[str, str]:
    """The column that stands out as the target, and why; nothing is asked where nothing could be learnt from."""
    readings = {name: how for name, how in read.readings.items() if name not in (*dividing, *options.text)}
    try:
        return choose_target(read.source, read.frame.select(list(readings)), readings, options.path)
    except TargetUnclear:
        kept, left_out = useful(read.frame, readings, options.max_categories)
        if len(kept) < 2:
            raise nothing_to_learn(
                read.source, [*left_out, f"{', '.join(kept) or 'nothing'} would be left"]
            ) from None
        raise


def nothing_to_learn(source: Source, reasons: Sequence[str]) -> DataError:
    """Return the error of a table without a column to learn from, with the first reasons."""
    return DataError(f"data.path: {source.path.name} has no column to learn from", "; ".join(reasons[:4]))


def rules_of(options: Csv, dividing: Sequence[str]) -> Rules:
    """Return how the options have values read."""
    names = [
        name for name in dividing if name not in (options.time, options.weight)
    ]  # groups are told apart by their texts
    return Rules(
        missing=options.missing,
        categories=(*options.categories, *options.text, *names),
        numbers=options.numbers,
        day_first={"auto": None, "yes": True, "no": False}[options.day_first],
        decimal={"auto": "", "point": ".", "comma": ","}[options.decimal],
    )


def opened(options: Csv, path: str) -> Source:
    """Open a file of rows as the options say."""
    if not path:
        raise DataError("data.path: no file is given", "Give a table, such as my.csv")
    return open_source(
        Path(path).expanduser(),
        TextOptions(
            separator=SEPARATORS[options.separator],
            encoding=check_encoding(options.encoding),
            header={"auto": None, "yes": True, "no": False}[options.header],
            part=options.part,
        ),
    )


def columns_to_read(options: Csv, names: Sequence[str], dividing: Sequence[str]) -> list[str]:
    """Return the columns to read.

    Raises:
        DataError: the options name a column that is not there, or leave the target out.
    """
    for key in ("drop", "categories", "numbers", "text"):
        for name in getattr(options, key):
            named_column(name, names, options.path, f"data.{key}")
    targets = [options.target] if isinstance(options.target, str) else options.target
    for name in targets:
        if name and name in options.drop:
            raise DataError(
                f"data.drop: {name} is the target", "Choose another data.target, or keep the column"
            )
    return [name for name in names if name not in options.drop or name in dividing]
