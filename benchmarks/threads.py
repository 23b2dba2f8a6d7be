"""`threads: auto` beside torch's default and one thread, while the last core is idle and while it is busy.

    python -m benchmarks.threads [--quick] [--json FILE]

One epoch of the first 30,000 images of MNIST, from the start of the run to the end of the epoch, so that the time in
which the number of threads is chosen counts. Another process keeps the last core busy.
"""

import copy
import dataclasses
import json
import multiprocessing
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path

import torch

from benchmarks.harness import Stopwatch, Took, in_turns, options, print_table, rows
from benchmarks.mnist import mnist_root
from core.config import schema as configuration
from core.control import RunControl
from core.data.dataset import Split
from core.events import EpochFinished, Event
from core.session import session
from core.session.session import Prepared

SAMPLES, BATCH = 30_000, 64
MODELS = {"mlp 784-512-10": {"name": "mlp", "hidden": [512]}, "cnn": {"name": "cnn"}}
AUTO, DEFAULT, ONE = "threads: auto", "torch's default", "one thread"


def prepare(root: Path, model: dict[str, object], threads: int | str) -> Prepared:
    """A run on the first images, with nothing held out."""
    config = configuration.from_dict(
        {
            "data": {"name": "mnist", "validation": 0},
            "model": model,
            "training": {"epochs": 1, "batch_size": BATCH, "threads": threads, "device": "cpu"},
        }
    )
    prepared = session.prepare(config, root, lambda what, done, total: None)
    train = prepared.data.train
    fewer = Split(train.inputs[:SAMPLES], train.targets[:SAMPLES], train.indices[:SAMPLES])
    return dataclasses.replace(prepared, data=dataclasses.replace(prepared.data, train=fewer))


def epoch(name: str, prepared: Prepared, runs: Path, chosen: Counter[int]) -> dict[str, Took]:
    """Train a copy; count the number of threads that it took."""
    fresh = dataclasses.replace(prepared, model=copy.deepcopy(prepared.model))
    run, times = session.new_run(fresh, runs), {}
    watch = Stopwatch()

    def emit(event: Event) -> None:
        if isinstance(event, EpochFinished):
            times[name] = watch.took()
            chosen[torch.get_num_threads()] += 1

    ended = session.execute(fresh, run, emit=emit, control=RunControl())
    if ended.status != "completed":
        raise RuntimeError(ended.error)
    return times


@contextmanager
def busy() -> Iterator[None]:
    """Another process computes on the last core all the time."""
    process = multiprocessing.get_context("spawn").Process(target=spin, daemon=True)
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()


def spin() -> None:
    """Never end."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    while True:
        pass


def main() -> None:
    """Measure, print, and write the numbers if asked."""
    given = options(__doc__.splitlines()[0])
    default = torch.get_num_threads()
    tables = []
    with mnist_root() as (root, data), tempfile.TemporaryDirectory() as runs:
        for title, model in MODELS.items():
            counts: dict[str, int | str] = {AUTO: "auto", DEFAULT: default, ONE: 1}
            prepared = {name: prepare(root, model, threads) for name, threads in counts.items()}
            for neighbour, beside in {"idle": nullcontext, "busy": busy}.items():
                chosen: Counter[int] = Counter()
                contestants: list[Callable[[], dict[str, Took]]] = [
                    partial(epoch, name, one, Path(runs), chosen if name == AUTO else Counter())
                    for name, one in prepared.items()
                ]
                with beside():
                    table = rows(in_turns(contestants, given.rounds), DEFAULT, {})
                print_table(f"{title} on {SAMPLES:,} images of {data}, the last core {neighbour}", table)
                print(
                    f"  auto took {', '.join(f'{n} ({times} times)' for n, times in sorted(chosen.items()))}"
                )
                tables.append(
                    {
                        "model": title,
                        "last_core": neighbour,
                        "chosen": chosen,
                        "rows": [dataclasses.asdict(row) for row in table],
                    }
                )
    if given.json:
        facts = {"samples": SAMPLES, "batch_size": BATCH, "default_threads": default, "rounds": given.rounds}
        given.json.write_text(json.dumps({**facts, "tables": tables}, indent=2) + "\n")


if __name__ == "__main__":
    main()
