"""The rows of a file that a model learns from: read, with the target that was asked for or stands out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from core.data.tables import notes
from core.data.tables.columns import useful
from core.data.tables.files.encodings import check_encoding
from core.data.tables.files.source import Source, open_source
from core.data.tables.files.text import TextOptions
from core.data.tables.options import SEPARATORS, Csv
from core.data.tables.targets.choose import TargetUnclear, choose_target, named_column
from core.data.tables.targets.examine import Target, examine_target
from core.data.tables.targets.lacking import rows_with_target
from core.data.tables.values.reading import Reading, Rules, quoted
from core.data.tables.values.rows import ReadRows, read_rows
from core.errors import DataError
from core.tasks.registry import task_for

__all__ = ["Rows", "nothing_to_learn", "opened", "read_training_rows"]


@dataclass(frozen=True)
class Rows:
    """All rows of a file that have a target.

    Attributes:
        frame: every row of the file, all columns but dropped ones.
        positions: (n,) of the rows that are used, in `frame`.
        target: their targets.
        notes: what was found.
    """

    source: Source
    frame: pl.DataFrame
    readings: Mapping[str, Reading]
    positions: np.ndarray
    target_name: str
    target: Target
    notes: tuple[str, ...]

    @property
    def task(self) -> str:
        """Task of the target."""
        return task_for(len(self.target.class_names))

    @cached_property
    def used(self) -> pl.DataFrame:
        """Return the rows that are used, all columns."""
        return self.frame if len(self.positions) == len(self.frame) else self.frame[self.positions]


def read_training_rows(options: Csv) -> Rows:
    """Read the rows of a file that have a target.

    Raises:
        DataError: the file, or what was asked of it, is wrong.
        TargetUnclear: no target was given, and no column stands out.
    """
    source = opened(options, options.path)
    if len(source.names) == 1:
        raise DataError(
            f"{source.path.name} has a single column, {quoted(source.names[0])}",
            "Beside a target there must be something to learn it from; data.separator says what parts the columns",
        )
    columns = _columns(options, source.names)
    read = read_rows(source, columns, _rules(options))
    source, frame, readings = read.source, read.frame, read.readings
    why = "as given"
    if options.target:
        name = named_column(options.target, source.names, source.path.name)
        if name not in readings:
            raise DataError(
                f"data.target: {name} holds values that are not read from tables", "Choose another column"
            )
    else:
        name, why = _chosen(options, read)
    positions, left_out = rows_with_target(
        source, frame, name, readings[name], options.missing, options.missing_target
    )
    target = examine_target(
        frame[name][positions], readings[name], options.task, options.rare_classes, source, positions
    )
    first = notes.chosen(name, why, target.class_names)
    return Rows(
        source,
        frame,
        readings,
        positions[target.kept],
        name,
        target,
        (first, *read.notes, *left_out, *target.notes),
    )


def _chosen(options: Csv, read: ReadRows) -> tuple[str, str]:
    """The column that stands out as the target, and why; nothing is asked where nothing could be learnt from."""
    try:
        return choose_target(read.source, read.frame, read.readings, options.path)
    except TargetUnclear:
        kept, left_out = useful(read.frame, read.readings, options.max_categories)
        if len(kept) < 2:
            raise nothing_to_learn(
                read.source, [*left_out, f"{', '.join(kept) or 'nothing'} would be left"]
            ) from None
        raise


def nothing_to_learn(source: Source, reasons: Sequence[str]) -> DataError:
    """Return the error of a table without a column to learn from, with the first reasons."""
    return DataError(f"data.path: {source.path.name} has no column to learn from", "; ".join(reasons[:4]))


def _rules(options: Csv) -> Rules:
    return Rules(
        missing=options.missing,
        categories=options.categories,
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


def _columns(options: Csv, names: Sequence[str]) -> list[str]:
    """The columns to read."""
    for key in ("drop", "categories", "numbers"):
        for name in getattr(options, key):
            named_column(name, names, options.path, f"data.{key}")
    if options.target and options.target in options.drop:
        raise DataError(
            f"data.drop: {options.target} is the target", "Choose another data.target, or keep the column"
        )
    return [name for name in names if name not in options.drop]
