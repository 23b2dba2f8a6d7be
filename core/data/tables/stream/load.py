"""From Parquet files to a streamed data set: targets and splits from all rows, what is learned of columns from some."""

from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from core.data.tables.files.source import Source
from core.data.tables.learned import Learned
from core.data.tables.options import Csv
from core.data.tables.stream.blocks import VALUE_BYTES, Blocks, KeptBlocks, blocks_in_window
from core.data.tables.training_rows import Rows, columns_to_read, dividing_columns, rules_of
from core.data.tables.values.reading import Reading
from core.data.tables.values.rows import read_known, read_rows
from core.errors import DataError
from core.machine import memory

__all__ = ["sampled_rows", "streamed_inputs", "why_streamed"]

SAMPLE_BYTES, MIN_SAMPLE = 64 << 20, 10_000
"""Of the columns of training rows that encodings are learned from, and rows; of more rows, so many are drawn."""
SEED = 0
SPARE = 0.8
"""Part of the free memory that a table may take."""
HEAD_ROWS = 1000


def why_streamed(options: Csv, source: Source) -> str:
    """Return in a sentence why a table is streamed; empty where it goes into memory.

    Raises:
        DataError: it is to be streamed, and cannot be.
    """
    if options.feed == "resident":
        return ""
    name = source.path.name
    if not source.is_parquet:
        if options.feed == "stream":
            raise DataError(
                f"data.feed: stream, but only Parquet files are streamed, and {name} is read into memory",
                "Save the table as Parquet, or a folder of Parquet files, or set data.feed to auto",
            )
        return ""
    if options.feed == "stream":
        return f"{name} is streamed, as data.feed says: its rows are read anew in each epoch"
    head = source.head(source.names, HEAD_ROWS)
    rows = sum(int(part.row_count()) for part in source.files)
    needed = rows * (head.estimated_size() / max(1, len(head)) + VALUE_BYTES * len(source.names))
    free = memory().available
    if needed <= SPARE * free:
        return ""
    return (
        f"{name} is streamed: its {rows:,} rows take {needed / 2**30:.1f} GiB of memory, and "
        f"{free / 2**30:.1f} GiB are free; data.feed=resident reads them into memory"
    )


def sampled_rows(options: Csv, rows: Rows, blocks: Blocks, train: np.ndarray) -> Rows:
    """Return training rows with all columns, to learn from: all of them, or some drawn at random.

    Args:
        rows: all rows, of which the columns of targets and splits alone are read.
        train: positions of training rows, ascending.

    Raises:
        DataError: a file is damaged.
    """
    names = rows.source.names
    most = max(MIN_SAMPLE, SAMPLE_BYTES // (VALUE_BYTES * len(names)))
    chosen, found = train, list[str]()
    if len(train) > most:
        chosen = np.sort(np.random.default_rng(SEED).choice(train, most, replace=False))
        found = [f"columns are learned from {most:,} of {len(train):,} training rows, drawn at random"]
    dividing = dividing_columns(options, names)
    columns = columns_to_read(options, names, dividing)
    some = replace(rows.source, frame=blocks.raw(chosen).lazy(), parts=(), notes=())
    read = read_rows(some, columns, rules_of(options, dividing))
    known = {**read.readings, **rows.readings}
    return replace(
        rows,
        source=some,
        frame=read.frame,
        readings=known,
        positions=np.arange(len(chosen)),
        notes=(*rows.notes, *read.notes, *found),
        absent=read.absent,
    )


def streamed_inputs(learned: Learned, blocks: Blocks) -> KeptBlocks:
    """Return the features of all rows, read block by block.

    Raises:
        DataError: there are columns of texts.
    """
    if learned.vocabulary is not None:
        raise DataError(
            f"data.feed: stream, but texts are read from memory: {', '.join(learned.texts)}",
            "Leave these columns out with data.drop, or set data.feed to resident",
        )
    encoding = learned.encoding
    features = partial(_features, learned=learned, readings=encoding.readings)
    numbers = len(encoding.features)
    blocks = blocks.suiting(numbers)
    return KeptBlocks(blocks, features, blocks_in_window(blocks.rows, numbers))


def _features(block: Source, learned: Learned, readings: dict[str, Reading]) -> Tensor:
    frame = read_known(block, readings, learned.encoding.missing).frame
    return torch.from_numpy(learned.encoding.apply(frame))
