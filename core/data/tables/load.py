"""From a file to a data set: read, split, and made numbers of by what its training rows say."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import polars as pl
import torch

from core.data.dataset import Dataset, Split
from core.data.tables import notes
from core.data.tables.columns import useful
from core.data.tables.encoding import Encoding, fit
from core.data.tables.layout import quoted
from core.data.tables.options import SEPARATORS, Csv
from core.data.tables.reading import Reading
from core.data.tables.rows import read_known, read_rows
from core.data.tables.source import Source, open_source
from core.data.tables.summary import summarise
from core.data.tables.table import Table, digest
from core.data.tables.target import Target, choose_target, class_numbers, examine_target
from core.errors import DataError
from core.machine import memory
from core.metrics import Task
from core.remedies import setting

__all__ = ["load_table"]

SPARE = 0.8
"""Part of the free memory that samples may take."""


@dataclass(frozen=True)
class Rows:
    """All rows of a file that have a target.

    Attributes:
        frame: every row of the file, all columns but dropped ones.
        positions: (n,) of the rows with a target, in `frame`.
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
    def task(self) -> Task:
        """What there is to learn."""
        classes = len(self.target.class_names)
        return "regression" if not classes else "binary" if classes == 2 else "multiclass"


def load_table(options: Csv) -> Dataset:
    """The data set of a file.

    Raises:
        DataError: the file, or what was asked of it, is wrong; the message names the row and the column.
    """
    if not options.path:
        raise DataError("data.path: no file is given", "Give a .csv, .tsv or .parquet file")
    with _naming("data.path"):
        rows = _read(options)
    positions, target, task = rows.positions, rows.target, rows.task
    parts = _parts(options, target, task)
    encoding, left_out = _encoding(options, rows, positions[parts["train"]])
    _check_memory(len(positions), len(encoding.features))
    splits = {
        name: Split(
            torch.from_numpy(encoding.apply(rows.frame, positions[at])),
            _tensor(target.values[at], task),
            positions[at],
        )
        for name, at in parts.items()
    }
    counted = rows.frame if len(positions) == len(rows.frame) else rows.frame[positions]
    table = Table(
        encoding=encoding,
        target=rows.target_name,
        digest=digest(rows.source.path),
        file=rows.source.path.name,
        text_encoding=options.encoding,
        header=options.header,
        separator=SEPARATORS[options.separator],
        summaries=summarise(counted, rows.readings),
        sources=dict.fromkeys(splits, rows.source),
    )
    of_test: list[str] = []
    if options.test_path:
        with _naming("data.test_path"):
            splits["test"], table, of_test = _official_test(options, encoding, rows, table)
    told = [notes.columns(encoding, rows.readings), *left_out, *notes.filled(encoding, counted), *of_test]
    numbers = splits["train"].targets if task == "regression" else torch.tensor([0.0])
    return Dataset(
        name=options.title,
        kind="table",
        task=task,
        train=splits["train"],
        validation=splits["validation"],
        test=splits["test"],
        class_names=target.class_names,
        feature_names=encoding.features,
        mean=torch.tensor(0.0),
        std=torch.tensor(1.0),
        target_mean=float(numbers.double().mean()),
        target_std=float(numbers.double().std(correction=0)) or 1.0,
        value_range=(0.0, 1.0),
        notes=(*rows.notes, *told),
        table=table,
    )


def _read(options: Csv) -> Rows:
    """The rows of the file with a target."""
    source = _open(options, options.path)
    if len(source.names) == 1:
        raise DataError(
            f"{source.path.name} has a single column, {quoted(source.names[0])}",
            "Beside a target there must be something to learn it from; data.separator says what parts the columns",
        )
    name, why = choose_target(source.names, options.target, source.path.name)
    columns = _columns(options, source.names, name)
    readings, frame = read_rows(source, columns, options.missing, options.categories)
    positions, dropped, empty = _with_target(options, source, frame, name)
    target = examine_target(frame[name][positions], readings[name], options.task, source, positions)
    told = (notes.chosen(name, why, target.class_names), *notes.dropped(dropped, empty))
    return Rows(source, frame, readings, positions, name, target, told)


@contextmanager
def _naming(field: str) -> Iterator[None]:
    """Say which field of the configuration an error is about, unless it says so."""
    try:
        yield
    except DataError as error:
        if error.message.startswith("data."):
            raise
        raise DataError(f"{field}: {error.message}", error.hint) from None


def _open(options: Csv, path: str) -> Source:
    return open_source(
        Path(path).expanduser(),
        separator=SEPARATORS[options.separator],
        encoding=options.encoding,
        header=options.header,
    )


def _columns(options: Csv, names: Sequence[str], target: str) -> list[str]:
    """The columns to read."""
    for field, asked in (("drop", options.drop), ("categories", options.categories)):
        for name in asked:
            if name not in names:
                close = get_close_matches(name, names, n=1, cutoff=0.5)
                near = f"Did you mean '{close[0]}'?" if close else ""
                raise DataError(f"data.{field}: {options.path} has no column '{name}'", near)
    if target in options.drop:
        raise DataError(
            f"data.drop: {target} is the target", "Choose another data.target, or keep the column"
        )
    return [name for name in names if name not in options.drop]


def _with_target(
    options: Csv, source: Source, frame: pl.DataFrame, target: str, field: str = "data.target"
) -> tuple[np.ndarray, int, int]:
    """Positions of the rows with a target; how many lack it, and how many are empty altogether.

    `field` of the configuration is named where rows lack it and shall not be left out, or all do.
    """
    lacks = frame[target].is_null().to_numpy()
    filled = frame.filter(pl.Series(lacks)).select(pl.any_horizontal(pl.all().is_not_null())).to_series()
    lacking = np.flatnonzero(lacks)[filled.to_numpy()]
    if len(lacking) and options.missing_target == "error":
        more = f" (and in {len(lacking) - 1:,} rows more)" if len(lacking) > 1 else ""
        raise DataError(
            f"{field}: {source.path.name}, {source.place(int(lacking[0]))}: {target} is missing{more}",
            ("Fill it, or leave such rows out with ", setting("data.missing_target", "drop")),
        )
    if lacks.all():
        raise DataError(f"{field}: {target} is missing in all rows", "Choose another column, or another file")
    return np.flatnonzero(~lacks), len(lacking), len(filled) - len(lacking)


def _parts(options: Csv, target: Target, task: Task) -> dict[str, np.ndarray]:
    """Positions of the splits among the rows with a target."""
    if not options.test_path:
        return options.parts(target.values, task, target.class_names)
    train, validation = options.hold_out(target.values, task, target.class_names)
    return {"train": train, "validation": validation, "test": train[:0]}


def _encoding(options: Csv, rows: Rows, train: np.ndarray) -> tuple[Encoding, list[str]]:
    """What makes numbers of the columns, by what training rows say; which columns are left out, and why."""
    frame = rows.frame[train]
    features = {name: how for name, how in rows.readings.items() if name != rows.target_name}
    kept, left_out = useful(frame, features, options.max_categories)
    if not kept:
        raise DataError(
            f"data.path: {rows.source.path.name} has no column to learn from", "; ".join(left_out)
        )
    return fit(frame, kept, options.missing, options.max_categories), left_out


def _official_test(
    options: Csv, encoding: Encoding, rows: Rows, table: Table
) -> tuple[Split, Table, list[str]]:
    """The rows of the test file with a target, a table that knows it, and what was left out."""
    source = _open(options, options.test_path)
    name = rows.target_name
    wanted = {column: rows.readings[column] for column in (*encoding.readings, name)}
    frame = read_known(source, wanted, encoding.missing)
    positions, dropped, empty = _with_target(options, source, frame, name, "data.test_path")
    answers, names = frame[name][positions], rows.target.class_names
    values = class_numbers(answers, names, source, positions) if names else answers.to_numpy()
    inputs = torch.from_numpy(encoding.apply(frame, positions))
    both = f"{table.digest} {digest(source.path)}"
    table = replace(table, digest=both, sources=table.sources | {"test": source})
    told = notes.dropped(dropped, empty, f" of {source.path.name}")
    return Split(inputs, _tensor(values, rows.task), positions), table, list(told)


def _tensor(values: np.ndarray, task: Task) -> torch.Tensor:
    tensor = torch.from_numpy(np.require(values, requirements="W"))
    return tensor.float().unsqueeze(1) if task == "regression" else tensor


def _check_memory(rows: int, features: int) -> None:
    """Make sure that the samples fit into memory."""
    needed, free = 4 * rows * features, memory().available
    if needed > SPARE * free:
        raise DataError(
            f"data.path: {rows:,} rows of {features:,} features take {needed / 2**30:.1f} GiB of memory, "
            f"{free / 2**30:.1f} are free",
            "Leave columns out with data.drop, or give data.max_categories a smaller value",
        )
