"""From a file to a data set: read, split, and encoded by what its training rows say."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
import torch

from core.data.dataset import Dataset, Split
from core.data.tables import notes
from core.data.tables.columns import useful
from core.data.tables.duplicates import shared_rows
from core.data.tables.encoding import Encoding, fit
from core.data.tables.files.encodings import check_encoding
from core.data.tables.files.source import Source, open_source
from core.data.tables.files.text import TextOptions
from core.data.tables.options import SEPARATORS, Csv
from core.data.tables.scaling import Limits, limits
from core.data.tables.summary import summarise
from core.data.tables.table import Table, digest
from core.data.tables.targets.choose import TargetUnclear, choose_target, named_column
from core.data.tables.targets.examine import Target, class_numbers, examine_target
from core.data.tables.targets.lacking import rows_with_target
from core.data.tables.targets.names import id_name
from core.data.tables.values.reading import Reading, Rules, quoted
from core.data.tables.values.rows import ReadRows, read_known, read_rows
from core.data.targets import as_numbers
from core.errors import DataError
from core.machine import memory
from core.metrics import Task

__all__ = ["load_table", "table_columns"]

SPARE = 0.8
"""Part of the free memory that samples may take."""


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
    def task(self) -> Task:
        """Task of the target."""
        classes = len(self.target.class_names)
        return "regression" if not classes else "binary" if classes == 2 else "multiclass"


def load_table(options: Csv) -> Dataset:
    """Load the data set of a file.

    Raises:
        DataError: the file, or what was asked of it, is wrong; the message names the row and the column.
        TargetUnclear: no target was given, and no column stands out.
    """
    with _naming("data.path"):
        rows = _read(options)
    positions, target, task = rows.positions, rows.target, rows.task
    parts = _parts(options, target, task)
    encoding, found, clipped = _encoding(options, rows, positions[parts["train"]])
    _check_memory(len(positions), len(encoding.features))
    values, tails = _clipped_target(target.values, parts["train"], task)
    if tails is not None:
        clipped[rows.target_name] = tails
    splits = {
        name: Split(
            torch.from_numpy(encoding.apply(rows.frame, positions[at])),
            _tensor((values if name == "train" else target.values)[at], task),
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
        text_encoding=_known_encoding(rows.source, options),
        header=rows.source.text.header if rows.source.text else True,
        separator=SEPARATORS[options.separator],
        part=options.part,
        summaries=summarise(counted, rows.readings),
        sources=dict.fromkeys(splits, rows.source),
    )
    compared = counted.select(name for name in counted.columns if not id_name(name))
    reported = [
        notes.columns(encoding, rows.readings),
        *found,
        *notes.filled(encoding, counted),
        *notes.clipped(clipped, rows.target_name),
        *notes.codes(counted, rows.readings, options.missing),
        *notes.duplicates(shared_rows(compared, parts), parts),
        *notes.absent_classes(target.class_names, target.values, parts),
    ]
    if options.test_path:
        with _naming("data.test_path"):
            splits["test"], table, of_test = _official_test(options, encoding, rows, table)
        reported += of_test
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
        notes=(*rows.notes, *reported),
        table=table,
    )


def table_columns(options: Csv) -> tuple[str, ...]:
    """Return the names of a file's columns.

    Raises:
        DataError: the file cannot be read.
    """
    return _open(options, options.path).names


def _read(options: Csv) -> Rows:
    """The rows of the file with a target."""
    source = _open(options, options.path)
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
            raise _nothing_to_learn(
                read.source, [*left_out, f"{', '.join(kept) or 'nothing'} would be left"]
            ) from None
        raise


def _nothing_to_learn(source: Source, reasons: Sequence[str]) -> DataError:
    return DataError(f"data.path: {source.path.name} has no column to learn from", "; ".join(reasons[:4]))


def _rules(options: Csv) -> Rules:
    return Rules(
        missing=options.missing,
        categories=options.categories,
        numbers=options.numbers,
        day_first={"auto": None, "yes": True, "no": False}[options.day_first],
        decimal={"auto": "", "point": ".", "comma": ","}[options.decimal],
    )


@contextmanager
def _naming(field: str) -> Iterator[None]:
    """Context manager that names the field of the configuration an error is about, unless the error does."""
    try:
        yield
    except TargetUnclear:
        raise
    except DataError as error:
        if error.message.startswith("data."):
            raise
        raise DataError(f"{field}: {error.message}", error.hint) from None


def _open(options: Csv, path: str) -> Source:
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


def _known_encoding(source: Source, options: Csv) -> str:
    return str(source.text.encoding) if source.text is not None else options.encoding


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


def _parts(options: Csv, target: Target, task: Task) -> dict[str, np.ndarray]:
    """Positions of the splits among the rows with a target."""
    if not options.test_path:
        return options.parts(target.values, task, target.class_names)
    train, validation = options.hold_out(target.values, task, target.class_names)
    return {"train": train, "validation": validation, "test": train[:0]}


def _encoding(options: Csv, rows: Rows, train: np.ndarray) -> tuple[Encoding, list[str], dict[str, Limits]]:
    """Return the encoding learnt from training rows, columns left out and why, and limits of heavy tails."""
    frame = rows.frame[train]
    features = {name: how for name, how in rows.readings.items() if name != rows.target_name}
    kept, left_out = useful(frame, features, options.max_categories)
    if not kept:
        reasons = [*left_out, *(note for note in rows.notes if note.startswith("left out"))]
        raise _nothing_to_learn(rows.source, reasons)
    encoding, clipped = fit(frame, kept, options.missing, options.max_categories)
    return encoding, left_out, clipped


def _clipped_target(values: np.ndarray, train: np.ndarray, task: Task) -> tuple[np.ndarray, Limits | None]:
    """Targets with the heavy tails of train clipped."""
    found = limits(pl.Series(values[train])) if task == "regression" else None
    return (values if found is None else values.clip(found.low, found.high)), found


def _official_test(
    options: Csv, encoding: Encoding, rows: Rows, table: Table
) -> tuple[Split, Table, list[str]]:
    """The rows of the test file with a target, a table that knows it, and what was left out."""
    name = rows.target_name
    wanted = {column: rows.readings[column] for column in (*encoding.readings, name)}
    read = read_known(_open(options, options.test_path), wanted, encoding.missing)
    source, frame = read.source, read.frame
    positions, left_out = rows_with_target(
        source, frame, name, rows.readings[name], options.missing, options.missing_target, "data.test_path"
    )
    answers, names, respelled = frame[name][positions], rows.target.class_names, list[str]()
    if names:
        values, respelled = class_numbers(answers, names, source, positions)
    else:
        values = answers.to_numpy()
    inputs = torch.from_numpy(encoding.apply(frame, positions))
    both = f"{table.digest} {digest(source.path)}"
    table = replace(table, digest=both, sources=table.sources | {"test": source})
    return Split(inputs, _tensor(values, rows.task), positions), table, [*read.notes, *left_out, *respelled]


def _tensor(values: np.ndarray, task: Task) -> torch.Tensor:
    """Targets: classes, or numbers in a column."""
    return torch.from_numpy(
        as_numbers(values) if task == "regression" else np.require(values, requirements="W")
    )


def _check_memory(rows: int, features: int) -> None:
    """Make sure that the samples fit into memory."""
    needed, free = 4 * rows * features, memory().available
    if needed > SPARE * free:
        raise DataError(
            f"data.path: {rows:,} rows of {features:,} features take {needed / 2**30:.1f} GiB of memory, "
            f"{free / 2**30:.1f} are free",
            "Leave columns out with data.drop, or give data.max_categories a smaller value",
        )
