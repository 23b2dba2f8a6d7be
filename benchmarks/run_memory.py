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
from PIL import Image

__all__ = ["KINDS", "Kind", "peak_of_run", "ratio"]

MIB = 2**20
SECONDS_BETWEEN = 0.003
"""Looks at the memory of a run."""
COLUMNS = 100
BATCH = 256
ARRAY_SIZE, PNG_SIZE = 64, 128
"""Height and width of images, of three channels."""


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


def pictures(samples: int, size: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return noise, uint8 (n, size, size, 3), and four classes, each with a white stripe of its own."""
    random = np.random.default_rng(seed)
    classes = random.integers(0, 4, samples)
    made = random.integers(0, 256, (samples, size, size, 3), dtype=np.uint8)
    made[np.arange(samples), classes * size // 8] = 255
    return made, classes


def npz(folder: Path, samples: int) -> list[str]:
    """Write arrays of images."""
    inputs, targets = pictures(samples, ARRAY_SIZE)
    np.savez(folder / "images.npz", x=inputs, y=targets)
    return ["--data", str(folder / "images.npz")]


def image_folder(folder: Path, samples: int) -> list[str]:
    """Write PNG files, a folder a class; the run decodes them into a cache beside them."""
    for start in range(0, samples, BATCH):
        some = pictures(min(BATCH, samples - start), PNG_SIZE, seed=start)
        for at, (picture, of_class) in enumerate(zip(*some, strict=True), start):
            place = folder / "images" / f"c{of_class}"
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture).save(place / f"{at}.png", compress_level=1)
    return ["--data", str(folder / "images"), "--data-root", str(folder / "root")]


KINDS = (
    Kind("run: CSV", csv, 100_000, 400_000, 4 * COLUMNS),
    Kind("run: Parquet", parquet, 100_000, 400_000, 4 * COLUMNS),
    Kind("run: npz of images", npz, 2_000, 16_000, 3 * ARRAY_SIZE**2),
    Kind("run: image folder", image_folder, 1_000, 4_000, 3 * PNG_SIZE**2),
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


def _memory(process: int, starter: bytes = b"") -> float:
    """Return MiB of a process and of those that it started, which no file backs; 0 once it has ended.

    Until a process that was just started has become another program, its memory is that of its starter.

    Args:
        starter: command line of the process that started it.
    """
    try:
        command = Path(f"/proc/{process}/cmdline").read_bytes()
        if command == starter:
            return 0.0
        lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
        tasks = [*Path(f"/proc/{process}/task").iterdir()]
        started = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    sizes = [int(line.split()[1]) for line in lines if line.startswith(("RssAnon:", "RssShmem:"))]
    return sum(sizes) / 1024 + sum(_memory(child, command) for child in started)
