"""Memory of a training that reads its data while it trains: a user's Dataset, and a folder of Parquet files.

    python -m benchmarks.stream_memory [--quick] [--large] [--limited] [--json FILE]

Each set is made twice, a quarter of the size and whole: 1 GiB, or 12.5 GiB with `--large`. Pictures are made one by
one as they are asked for, to train on or to evaluate on as a test set; the Parquet files are written into a temporary
folder. Memory is the peak of a process of its own, and of its worker. With `--limited` a process that reads pictures,
and its worker, may allocate a tenth of the whole set (`RLIMIT_DATA`, Linux), 0.8 GiB of which importing takes.
"""

import json
import multiprocessing
import resource
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch

from benchmarks.harness import options
from benchmarks.stream import streamed, values_of
from core.config import schema as configuration
from core.session import session

GIB = 2**30
SIDE = 320
COLUMNS, FILE_ROWS = 256, 1 << 16
"""Of the table: 64 MiB of numbers a file."""


def pictures(size: float, *, tested: bool = False) -> dict[str, Any]:
    """Settings of a run on pictures of 3x320x320 numbers, of so many bytes in all: its test set with `tested`."""
    many = int(size / (12 * SIDE**2))
    arguments = {"samples": 64 if tested else many, "tested": many if tested else 2, "side": SIDE}
    data = {"workers": 1, "arguments": arguments}
    return values_of(data, {"name": "mlp", "hidden": [2]}, batch_size=8)


def table(folder: Path, size: float) -> dict[str, Any]:
    """Settings of a run on Parquet files of so many bytes in memory, which are written into a folder."""
    for number in range(max(1, round(size / (4 * COLUMNS * FILE_ROWS)))):
        values = np.random.default_rng(number).normal(size=(FILE_ROWS, COLUMNS)).astype(np.float32)
        frame = pl.DataFrame(values, [f"x{at}" for at in range(COLUMNS)])
        label = pl.Series("label", np.where(values[:, 0] > 0, "up", "down"))
        frame.with_columns(label).write_parquet(folder / f"{number:04}.parquet", compression="uncompressed")
    data = {"name": "csv", "path": str(folder), "feed": "stream", "target": "label"}
    training = {"epochs": 1, "batch_size": 4096, "threads": 1, "device": "cpu", "baselines": "none"}
    return {"data": data, "model": {"name": "mlp", "hidden": [2]}, "training": training}


def peak_of(what: str, size: float, most: int, result: Any) -> None:
    """Train for an epoch and evaluate, and send the largest memory of this process and of its workers, in MiB.

    Args:
        most: bytes that the process may allocate; 0 for any.
    """
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as runs, tempfile.TemporaryDirectory() as folder:
        values = table(Path(folder), size) if what == "table" else pictures(size, tested=what == "tested")
        if most:
            resource.setrlimit(resource.RLIMIT_DATA, (most, most))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        prepared = session.prepare(configuration.from_dict(values), None, lambda what, done, total: None)
        streamed(prepared, Path(runs))
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    result.send([before / 1024, *(resource.getrusage(kind).ru_maxrss / 1024 for kind in kinds)])


def in_a_process(function: Callable[..., None], *arguments: Any) -> list[float]:
    """Return what a function sends from a process of its own."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=function, args=(*arguments, theirs))
    process.start()
    theirs.close()
    found: list[float] = ours.recv()
    process.join()
    return found


def main() -> None:
    """Measure, print, and write the numbers if asked."""
    given = options(__doc__.splitlines()[0], "--large")
    whole = int((12.5 if given.large else 1) * GIB)
    found = []
    for what in ("pictures", "tested", "table"):
        for size in (whole / 4, whole):
            most = whole // 10 if given.limited and what != "table" else 0
            before, own, worker = in_a_process(peak_of, what, size, most)
            print(
                f"  {what:9} {size / GIB:6.2f} GiB: {own:,.0f} MiB at most ({before:,.0f} before), worker {worker:,.0f}"
            )
            found.append({"what": what, "gib": size / GIB, "before": before, "own": own, "worker": worker})
    if given.json:
        given.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
