"""Large tables whose numbers lie in a file of their own: float64 takes twice what a network is trained from."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO

import numpy as np
import polars as pl

from core.data.tables.files.source import Source

__all__ = ["LARGE", "held", "values_of"]

LARGE = 64 << 20
"""Bytes of the files of a table, or of a table, from which on its numbers are mapped from a file."""
BLOCK_BYTES = 4 << 20
"""Of the numbers that a step of polars computes at once; by itself it takes 100,000 rows, however wide they are."""
MIN_ROWS, BLOCKS_WRITTEN = 512, 4
"""Rows of such a block at least, and blocks that are written at once."""
ON_DISK = "/var/tmp"
"""Where large temporary files belong if the folder for small ones lies in memory."""
MOUNTS = Path("/proc/self/mountinfo")
OF_MEMORY = ("tmpfs ", "ramfs ")


def values_of(source: Source, frame: pl.LazyFrame) -> pl.DataFrame:
    """Compute what is made of the rows of files; of large ones as `held` does.

    Raises:
        Damaged: a row has too many fields, or a file is damaged.
        DataError: a file cannot be read.
    """

    def compute(asked: pl.LazyFrame) -> pl.DataFrame:
        is_large = sum(file.path.stat().st_size for file in source.files) >= LARGE
        return held(asked) if is_large else asked.collect(engine="streaming")

    return source.computed(frame, compute)


def held(frame: pl.LazyFrame) -> pl.DataFrame:
    """Compute a table, of which columns of float64 without a missing value are mapped, the others in memory.

    The file has no name, and goes away with the last of the columns. All are in memory where no disk has room for it.

    Raises:
        OSError: what it is made of cannot be read.
        polars.exceptions.PolarsError: it cannot be computed.
    """
    with suppress(OSError):  # the disk is full; where reading failed, it fails again below
        folder = _folder()
        if folder is not None:
            return _mapped(frame, folder)
    return frame.collect(engine="streaming")


def _mapped(frame: pl.LazyFrame, folder: str) -> pl.DataFrame:
    """Columns are copied one by one, as polars maps none by itself."""
    with tempfile.TemporaryFile(dir=folder) as computed, tempfile.TemporaryFile(dir=folder) as file:
        rows = max(MIN_ROWS, BLOCK_BYTES // (8 * max(1, len(frame.collect_schema()))))
        with pl.Config(streaming_chunk_size=rows):
            frame.sink_ipc(
                computed,
                compression="uncompressed",
                engine="streaming",
                record_batch_size=BLOCKS_WRITTEN * rows,
            )
        computed.seek(0)
        columns = pl.scan_ipc(computed)
        names, found, mapped = columns.collect_schema().names(), dict[str, pl.Series](), list[str]()
        for name in names:
            values = columns.select(name).collect().to_series().rechunk()
            if values.dtype != pl.Float64 or values.null_count() or not len(values):
                found[name] = values
                continue
            values.to_numpy().tofile(file)
            mapped.append(name)
        if mapped:
            file.flush()
            numbers = np.memmap(file, np.float64, "r").reshape(len(mapped), -1)
            found |= {name: pl.Series(name, row) for name, row in zip(mapped, numbers, strict=True)}
    return pl.DataFrame([found[name] for name in names])


def _folder() -> str | None:
    """A folder for temporary files that lies on a disk; None where there is none.

    Python gives the current folder where no other can be written to; it is the user's.
    """
    for folder in (tempfile.gettempdir(), ON_DISK):
        if folder == os.getcwd():
            continue
        with suppress(OSError), tempfile.TemporaryFile(dir=folder) as file:  # one that cannot be written to
            if not _in_memory(file):
                return folder
    return None


def _in_memory(file: IO[bytes]) -> bool:
    """Return whether what is written to a file takes memory."""
    if not MOUNTS.exists():
        return False
    device = os.fstat(file.fileno()).st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    mounts = MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    kinds = (mount.partition(" - ")[2] for mount in mounts if mount.split()[2] == number)
    return any(kind.startswith(OF_MEMORY) for kind in kinds)
