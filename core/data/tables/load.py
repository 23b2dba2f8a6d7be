"""From a file to a data set: read, split, and encoded by what its training rows say."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import polars as pl
import torch

from core.data.dataset import Dataset, Split
from core.data.division.facts import division_notes
from core.data.sample_weights import as_weights
from core.data.stream.memory import give_back_large_blocks
from core.data.suspicions.columns import RawRows
from core.data.tables import notes
from core.data.tables.encoding import Encoding
from core.data.tables.files.source import Source
from core.data.tables.learned import Learned, learn_inputs
from core.data.tables.options import SEPARATORS, Csv
from core.data.tables.scaling import Limits, limits
from core.data.tables.stream.blocks import Blocks
from core.data.tables.stream.load import sampled_rows, streamed_inputs, why_streamed
from core.data.tables.stream.rows import TableRows
from core.data.tables.summary import summarise
from core.data.tables.table import Table, digest
from core.data.tables.targets.choose import TargetUnclear
from core.data.tables.targets.examine import class_numbers
from core.data.tables.targets.lacking import possible_categories, rows_with_target
from core.data.tables.targets.several import known_targets
from core.data.tables.training_rows import Rows, opened, read_training_rows
from core.data.tables.values.rows import read_known
from core.data.targets import as_numbers
from core.data.text.columns import fields_beside
from core.data.text.vocabulary import Vocabulary
from core.errors import DataError
from core.machine import memory
from core.tasks.registry import task_of

__all__ = ["load_table", "table_columns"]

SPARE = 0.8
"""Part of the free memory that samples may take."""


def load_table(options: Csv) -> Dataset:
    """Load the data set of a file.

    Raises:
        DataError: the file, or what was asked of it, is wrong; the message names the row and the column.
        TargetUnclear: no target was given, and no column stands out.
    """
    with _naming("data.path"):
        source = opened(options, options.path)
        why = why_streamed(options, source)
        rows = read_training_rows(options, source, narrow=bool(why))
    target, task = rows.target, rows.task
    parts = options.parts(target.values, task, target.class_names, rows.by, own_test=bool(options.test_path))
    parts.setdefault("test", parts["train"][:0])
    known = _streamed(options, rows, parts) if why else _resident(options, rows, parts)
    learned, some = known.learned, known.some
    values, tails = _clipped_targets(target.values, parts["train"], rows)
    splits = {
        name: Split(
            known.inputs(rows.positions[at]),
            _tensor((values if name == "train" else target.values)[at], task),
            rows.positions[at],
            weights=None if rows.by.weights is None else torch.from_numpy(rows.by.weights[at]),
            groups=None if rows.by.groups is None else rows.by.groups.codes[at],
        )
        for name, at in parts.items()
    }
    table = _table(options, rows.source, some, learned, splits)
    reported = [*([why] if why else []), *some.notes, *division_notes(options, rows.by, parts)]
    reported += _notes(options, some, learned, tails)
    reported += notes.absent_classes(target.class_names, target.values, parts)
    tables = {name: (rows.frame, rows.positions[at]) for name, at in parts.items()}
    if options.test_path:
        with _naming("data.test_path"):
            splits["test"], table, of_test, frame = _official_test(options, learned, some, table)
        reported += of_test
        tables["test"] = (frame, splits["test"].indices)
    data = _dataset(options, rows, splits, table, tuple(reported))
    if not why:
        data = replace(data, raw=RawRows(tables, rows.readings, table.columns, rows.target_names))
    return data if learned.vocabulary is None else _with_texts(data, learned.vocabulary)


@dataclass(frozen=True)
class _Known:
    """Facts of a table beside its targets.

    Attributes:
        learned: from training rows.
        some: all rows, or those that it was learned from, with all columns.
        inputs: returns those of the rows at some positions.
    """

    learned: Learned
    some: Rows
    inputs: Callable[[np.ndarray], Any]


def _resident(options: Csv, rows: Rows, parts: Mapping[str, np.ndarray]) -> _Known:
    learned = learn_inputs(options, rows, rows.positions[parts["train"]])
    _check_memory(len(rows.positions), learned.numbers)
    return _Known(learned, rows, partial(learned.inputs, rows.frame))


def _streamed(options: Csv, rows: Rows, parts: Mapping[str, np.ndarray]) -> _Known:
    give_back_large_blocks()
    blocks = Blocks.of(rows.source.files)
    some = sampled_rows(options, rows, blocks, rows.positions[parts["train"]])
    learned = learn_inputs(options, some, some.positions)
    kept = streamed_inputs(learned, blocks)
    return _Known(learned, some, lambda at: TableRows(kept, at, learned.numbers))


def _notes(options: Csv, rows: Rows, learned: Learned, tails: Mapping[str, Limits]) -> list[str]:
    """Report what was learned of the columns, and what may be wrong with them."""
    encoding, counted = learned.encoding, rows.used
    return [
        *learned.notes,
        *notes.filled(encoding, counted),
        *possible_categories(
            {name: rows.absent[name] for name in _lacking(encoding)}, len(rows.frame), options.missing
        ),
        *notes.clipped({**learned.clipped, **tails}, rows.target_names),
        *notes.codes(counted, rows.readings, options.missing),
    ]


def _lacking(encoding: Encoding) -> list[str]:
    """Return the columns of texts that lack some in train."""
    return [column.name for column in encoding.columns if column.kind == "text" and column.missing]


def _table(options: Csv, source: Source, rows: Rows, learned: Learned, splits: Iterable[str]) -> Table:
    return Table(
        encoding=learned.encoding,
        texts=learned.texts,
        target=rows.target_names[0],
        more_targets=rows.target_names[1:],
        digest=digest(source.path),
        file=source.path.name,
        text_encoding=_known_encoding(source, options),
        header=source.text.header if source.text else True,
        separator=SEPARATORS[options.separator],
        part=options.part,
        summaries=summarise(rows.used, rows.readings),
        sources=dict.fromkeys(splits, source),
    )


def _dataset(
    options: Csv, rows: Rows, splits: Mapping[str, Split], table: Table, lines: tuple[str, ...]
) -> Dataset:
    target_mean, target_std = task_of(rows.task).scale(
        splits["train"].targets.double(), splits["train"].weights
    )
    return Dataset(
        name=options.title,
        kind="table",
        task=rows.task,
        train=splits["train"],
        validation=splits["validation"],
        test=splits["test"],
        class_names=rows.target.class_names,
        feature_names=table.encoding.features,
        mean=torch.tensor(0.0),
        std=torch.tensor(1.0),
        target_mean=target_mean,
        target_std=target_std,
        value_range=(0.0, 1.0),
        notes=lines,
        table=table,
        target_names=rows.target_names if len(target_mean) > 1 else (),
        whole=options.scaling == "none" and _are_whole(splits["train"].inputs),
    )


def _are_whole(inputs: Any) -> bool:
    """Return whether features are whole numbers, which a network of the user's own may look up."""
    return isinstance(inputs, torch.Tensor) and bool((inputs == inputs.round()).all())


def _with_texts(data: Dataset, vocabulary: Vocabulary) -> Dataset:
    """Return a table whose inputs hold texts as what they are."""
    fields = fields_beside(len(data.feature_names), vocabulary)
    return replace(data, kind="text", vocabulary=vocabulary, fields=fields, ids=not fields)


def table_columns(options: Csv) -> tuple[str, ...]:
    """Return the names of a file's columns.

    Raises:
        DataError: the file cannot be read.
    """
    return opened(options, options.path).names


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


def _known_encoding(source: Source, options: Csv) -> str:
    return str(source.text.encoding) if source.text is not None else options.encoding


def _clipped_targets(
    values: np.ndarray, train: np.ndarray, rows: Rows
) -> tuple[np.ndarray, dict[str, Limits]]:
    """Targets with the heavy tails of train clipped, and the limits of those that have some."""
    if task_of(rows.task).targets != "numbers":
        return values, {}
    columns, found = [], {}
    for name, column in zip(
        rows.target_names, (values[:, None] if values.ndim == 1 else values).T, strict=True
    ):
        known = limits(pl.Series(column[train]))
        if known is not None:
            found[name] = known
        columns.append(column if known is None else column.clip(known.low, known.high))
    return np.stack(columns, axis=1).reshape(values.shape), found


def _official_test(
    options: Csv, learned: Learned, rows: Rows, table: Table
) -> tuple[Split, Table, list[str], pl.DataFrame]:
    """The rows of the test file with a target, a table that knows it, what was left out, and all rows as read."""
    weight = (options.weight,) if options.weight else ()
    wanted = {column: rows.readings[column] for column in (*table.columns, *rows.target_names, *weight)}
    read = read_known(opened(options, options.test_path), wanted, learned.encoding.missing)
    source, frame = read.source, read.frame
    positions, values, found = _known_target(options, rows, source, frame)
    inputs = learned.inputs(frame, positions)
    both = f"{table.digest} {digest(source.path)}"
    table = replace(table, digest=both, sources=table.sources | {"test": source})
    weights = None
    if options.weight:
        given = frame[options.weight][positions].to_numpy()
        weights = torch.from_numpy(as_weights(given, f"data.test_path: {options.weight}"))
    return Split(inputs, _tensor(values, rows.task), positions, weights), table, [*read.notes, *found], frame


def _known_target(
    options: Csv, rows: Rows, source: Source, frame: pl.DataFrame
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """The positions of the rows of a test file that have a target, the targets, and lines on both."""
    missing, policy = options.missing, options.missing_target
    if rows.target.several:
        return known_targets(source, frame, rows.target_names, rows.readings, rows.target, missing, policy)
    name, names = rows.target_names[0], rows.target.class_names
    how = rows.readings[name]
    positions, left_out = rows_with_target(source, frame, name, how, missing, policy, "data.test_path")
    answers = frame[name][positions]
    if not names:
        return positions, answers.to_numpy(), left_out
    values, respelled = class_numbers(answers, names, source, positions)
    return positions, values, [*left_out, *respelled]


def _tensor(values: np.ndarray, task: str) -> torch.Tensor:
    """Targets: classes, or numbers in a column."""
    return torch.from_numpy(
        as_numbers(values) if task_of(task).targets == "numbers" else np.require(values, requirements="W")
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
