"""Peak memory of whole runs, `tui train` for an epoch, beside the size of their data.

Memory is what no file backs: parts of files that are mapped can be dropped at any time, and are not counted. What a
run needs whatever its data is the peak of a run over fewer samples, which are several full batches already.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

__all__ = ["KINDS", "Kind", "peak_of_run", "ratio"]

MIB = 2**20
SECONDS_BETWEEN = 0.003
"""Looks at the memory of a run."""
COLUMNS = 100
BATCH = 256


@dataclass(frozen=True)
class Kind:
    """A kind of data.

    Attributes:
        write: writes so many samples into a folder, and returns the options of `tui train` that name them.
        few, many: samples of the two runs.
        bytes_of_one: of a sample as it is trained from.
    """

    name: str
    write: Callable[[Path, int], list[str]]
    few: int
    many: int
    bytes_of_one: int


def table(rows: int) -> pl.DataFrame:
    """Return numbers, and a target of two classes, that one of them tells with noise."""
    random = np.random.default_rng(0)
    columns = {f"x{at}": random.normal(size=rows).astype(np.float32) for at in range(COLUMNS)}
    return pl.DataFrame(
        columns | {"label": np.where(columns["x0"] + random.normal(size=rows) > 0, "up", "down")}
    )


def csv(folder: Path, rows: int) -> list[str]:
    """Write a CSV file."""
    table(rows).write_csv(folder / "table.csv", float_precision=5)
    return ["--data", str(folder / "table.csv"), "--set", "data.target=label"]


def parquet(folder: Path, rows: int) -> list[str]:
    """Write a Parquet file."""
    table(rows).write_parquet(folder / "table.parquet", row_group_size=1 << 16)
    return ["--data", str(folder / "table.parquet"), "--set", "data.target=label"]


KINDS = (
    Kind("run: CSV", csv, 40_000, 400_000, 4 * COLUMNS),
    Kind("run: Parquet", parquet, 40_000, 400_000, 4 * COLUMNS),
)


def ratio(kind: Kind, *options: str) -> float:
    """Return what the peak of a run grows by with each byte of its data."""
    few, many = (_peak(kind, samples, options) for samples in (kind.few, kind.many))
    return (many - few) / ((kind.many - kind.few) * kind.bytes_of_one / MIB)


def _peak(kind: Kind, samples: int, options: tuple[str, ...]) -> float:
    with tempfile.TemporaryDirectory() as folder:
        return peak_of_run(Path(folder), *kind.write(Path(folder), samples), *options)


def peak_of_run(folder: Path, *options: str) -> float:
    """Train for an epoch with one thread; return the largest memory, in MiB, of the run and of its workers together.

    Args:
        folder: for the run, and for what it prints.
        options: of `tui train`, such as ``--data`` and a file.

    Raises:
        CalledProcessError: the run failed.
    """
    usual = ["--epochs", "1", "--threads", "1", "--batch-size", str(BATCH), "--device", "cpu"]
    command = [
        sys.executable,
        "-m",
        "tui",
        "train",
        "--no-ui",
        "--runs",
        str(folder / "runs"),
        *usual,
        *options,
    ]
    with (folder / "printed").open("w") as printed:
        run = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=printed, stderr=subprocess.STDOUT)
        largest = 0.0
        while run.poll() is None:
            largest = max(largest, _memory(run.pid))
            time.sleep(SECONDS_BETWEEN)
    if run.returncode:
        raise subprocess.CalledProcessError(run.returncode, command, (folder / "printed").read_text())
    return largest


def _memory(process: int) -> float:
    """Return MiB of a process and of those that it started, which no file backs; 0 once it has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
        tasks = [*Path(f"/proc/{process}/task").iterdir()]
        started = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    sizes = [int(line.split()[1]) for line in lines if line.startswith(("RssAnon:", "RssShmem:"))]
    return sum(sizes) / 1024 + sum(map(_memory, started))
