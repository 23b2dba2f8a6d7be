"""An epoch of a streamed data set beside a plain loop over a DataLoader.

    python -m benchmarks.stream [--quick] [--json FILE]

The set makes 2,560 pictures with random noise, with as many workers in both. The loop does what a person would write:
`DataLoader(shuffle=True)`, pictures standardised by known numbers, SGD with momentum. Processor time is that of
the workers, too.
"""

import dataclasses
import json
import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, Dataset

from benchmarks.harness import Stopwatch, Took, in_turns, options, print_table, rows
from core.config import schema as configuration
from core.control import RunControl
from core.events import EpochFinished, Event, RunStarted
from core.models.registry import build
from core.session import session
from core.session.session import Prepared
from core.user_code.trust import trust

SAMPLES, SIZE, BATCH = 2560, 48, 64
STREAMED, LOOP = "tui, streamed", "plain loop over a DataLoader"
BUDGETS = {STREAMED: 1.02}


class Pictures(Dataset[tuple[torch.Tensor, int]]):
    """Noise over one of two greys."""

    def __init__(self, samples: int, side: int) -> None:
        self.samples, self.side = samples, side
        self.targets = [index % 2 for index in range(samples)]

    def __len__(self) -> int:
        return self.samples

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return torch.randn(3, self.side, self.side) + index % 2, index % 2


def pictures(
    samples: int = SAMPLES, side: int = SIZE, tested: int = 2
) -> tuple[Pictures, Pictures, Pictures]:
    """Sets to train on, to validate and to test on."""
    return Pictures(samples, side), Pictures(2, side), Pictures(tested, side)


def values_of(data: dict[str, Any], model: dict[str, Any], batch_size: int = BATCH) -> dict[str, Any]:
    """Settings of a run of one epoch on these pictures, streamed."""
    trust(Path(__file__))
    training = {"epochs": 1, "batch_size": batch_size, "threads": 1, "device": "cpu", "baselines": "none"}
    return {
        "data": {"name": f"{__file__}:pictures", "feed": "stream", **data},
        "model": model,
        "training": training,
        "optimizer": {"name": "momentum", "lr": 1e-4},
    }


def prepare(workers: int, model: dict[str, Any]) -> Prepared:
    """Prepare a run of one epoch."""
    values = values_of({"workers": workers}, model)
    return session.prepare(configuration.from_dict(values), None, lambda what, done, total: None)


def processor_time() -> float:
    """Seconds that this process and its workers have worked."""
    return sum(os.times()[:4])


def streamed(prepared: Prepared, runs: Path) -> dict[str, Took]:
    """One epoch as a run."""
    model = build(prepared.config.model, prepared.data, 0)
    fresh = dataclasses.replace(prepared, model=model)
    run, times = session.new_run(fresh, runs), {}
    watch = Stopwatch(processor_time)

    def emit(event: Event) -> None:
        nonlocal watch
        if isinstance(event, RunStarted):
            watch = Stopwatch(processor_time)
        if isinstance(event, EpochFinished):
            times[STREAMED] = watch.took()

    ended = session.execute(fresh, run, emit=emit, control=RunControl())
    if ended.status != "completed":
        raise RuntimeError(ended.error)
    return times


def loop(prepared: Prepared, workers: int) -> dict[str, Took]:
    """One epoch as a person would write it."""
    model = build(prepared.config.model, prepared.data, 0)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4, momentum=0.9)
    train, validation, _ = pictures()
    watch = Stopwatch(processor_time)
    total = 0.0
    for inputs, targets in DataLoader(train, batch_size=BATCH, shuffle=True, num_workers=workers):
        loss = cross_entropy(model((inputs - prepared.data.mean) / prepared.data.std), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    with torch.no_grad():
        for inputs, _ in DataLoader(validation, batch_size=BATCH, num_workers=workers):
            model((inputs - prepared.data.mean) / prepared.data.std)
    return {LOOP: watch.took()}


def main() -> None:
    """Measure, print, and write the numbers if asked."""
    given = options(__doc__.splitlines()[0])
    torch.set_num_threads(1)
    tables = []
    with tempfile.TemporaryDirectory() as runs:
        for workers in (0, 1, 2):
            prepared = prepare(workers, {"name": "cnn"})
            contestants: list[Callable[[], dict[str, Took]]] = [
                partial(streamed, prepared, Path(runs)),
                partial(loop, prepared, workers),
            ]
            table = rows(in_turns(contestants, given.rounds), LOOP, BUDGETS)
            print_table(f"cnn on {SAMPLES:,} pictures of 3x{SIZE}x{SIZE}, {workers} workers", table)
            tables.append({"workers": workers, "rows": [dataclasses.asdict(row) for row in table]})
    if given.json:
        facts = {"samples": SAMPLES, "batch_size": BATCH, "rounds": given.rounds}
        given.json.write_text(json.dumps({**facts, "tables": tables}, indent=2) + "\n")


if __name__ == "__main__":
    main()
