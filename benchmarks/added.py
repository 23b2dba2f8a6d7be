"""An epoch with what a user adds to a run, beside the plain one, and how long pre-flight takes.

    python -m benchmarks.added [--quick] [--json FILE]

All train 784-100-10 on the same 20,000 made-up images, and validate on 2,000, batch 64, SGD, on one thread, as runs
with their logs and checkpoints; processor time from the start of the run to the end of its first epoch. The own loss,
network and step are in this file, as a user's would be in hers, and compute the same.
"""

import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from benchmarks.harness import Row, Stopwatch, Took, in_turns, options, print_table, rows
from core.config import schema as configuration
from core.control import RunControl
from core.data.dataset import no_progress
from core.events import EpochFinished, Event, RunStarted
from core.models.registry import build
from core.session import session
from core.session.preflight.check import preflight
from core.session.session import Prepared
from core.user_code.trust import trust
from tui.runtime.capture import Capture
from tui.runtime.console import RunConsole

SIDE, CLASSES, UNITS, SAMPLES, VALIDATION = 28, 10, 100, 20_000, 2_000
PLAIN, PRINTED, CAPTURED = "plain", "prints into nothing", "prints captured and kept"
METRICS = "five metrics every epoch"
BUDGETS = {METRICS: 1.05, CAPTURED: 1.00}
PREFLIGHT, MAX_PREFLIGHT = "preflight", 1.0
"""Argument of the process that measures it, and the seconds that it may take once torch is imported."""
EVERY = 10
"""Calls of the loss between two lines that it prints."""

Splits = tuple[tuple[Tensor, Tensor], ...]


def classes() -> Splits:
    """Noise around ten centres."""
    return _splits(lambda known: known)


def labels() -> Splits:
    """The same, of which each has several of ten labels."""
    return _splits(
        lambda known: torch.stack([(known + label) % 3 == 0 for label in range(CLASSES)], 1).long()
    )


def _splits(targets: Callable[[Tensor], Tensor]) -> Splits:
    draw = torch.Generator().manual_seed(0)
    centres = torch.randn(CLASSES, 1, SIDE, SIDE, generator=draw)
    made = []
    for samples in (SAMPLES, VALIDATION, VALIDATION):
        known = torch.randint(0, CLASSES, (samples,), generator=draw)
        made.append((centres[known] + torch.randn(samples, 1, SIDE, SIDE, generator=draw), targets(known)))
    return tuple(made)


def loss(outputs: Tensor, targets: Tensor) -> Tensor:
    """The loss of a user."""
    return cross_entropy(outputs, targets)


calls = 0


def talking_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    """One that prints a line every now and then."""
    global calls
    calls += 1
    if calls % EVERY == 0:
        print("call", calls, "of the loss")
    return cross_entropy(outputs, targets)


class Network(nn.Module):
    """The network of a user."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.last = nn.Linear(SIDE * SIDE, UNITS), nn.Linear(UNITS, CLASSES)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return scores (b, classes)."""
        scores: Tensor = self.last(self.hidden(inputs.flatten(1)).relu())
        return scores


class Stepping(Network):
    """One with a step of its own."""

    def training_step(self, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        """Return the loss, and the share of right answers."""
        inputs, targets = batch
        scores = self(inputs)
        right = (scores.argmax(1) == targets).float().mean()
        return {"loss": cross_entropy(scores, targets), "accuracy": right}


def own(name: str) -> dict[str, str]:
    """Settings that take something of this file."""
    return {"name": "python", "path": f"{__file__}:{name}"}


VARIANTS: dict[str, dict[str, Any]] = {
    PLAIN: {},
    "own loss": {"loss": own("loss")},
    "own network": {"model": own("Network")},
    "own training_step": {"model": own("Stepping")},
    "multilabel": {"data": {"name": f"{__file__}:labels"}, "loss": {"name": "auto"}},
    METRICS: {
        "training": {
            "metrics": ["f1_macro", "balanced_accuracy", "roc_auc_macro", "average_precision_macro", "mcc"]
        }
    },
}
"""What is set otherwise, by name in the table."""
PRINTING: dict[str, Any] = {"loss": own("talking_loss")}


def prepare(changes: dict[str, Any]) -> Prepared:
    """Prepare a run of one epoch."""
    trust(Path(__file__))
    values: dict[str, Any] = {
        "data": {"name": f"{__file__}:classes"},
        "model": {"name": "mlp", "hidden": [UNITS]},
        "optimizer": {"name": "sgd", "lr": 0.01},
        "training": {
            "epochs": 1,
            "batch_size": 64,
            "threads": 1,
            "device": "cpu",
            "baselines": "none",
            "preflight": False,
        },
    }
    for part, settings in changes.items():
        values[part] = {**values[part], **settings} if part in ("training", "data") else settings
    return session.prepare(configuration.from_dict(values), None, no_progress)


@contextmanager
def nothing_kept() -> Iterator[None]:
    """Context manager in which what is printed is gone."""
    before = sys.stdout
    with open(os.devnull, "w", buffering=1, encoding="utf-8") as nothing:
        sys.stdout = nothing
        try:
            yield
        finally:
            sys.stdout = before


def epoch(name: str, prepared: Prepared, runs: Path) -> dict[str, Took]:
    """Train a run."""
    fresh = dataclasses.replace(prepared, model=build(prepared.config.model, prepared.data, 0))
    run, times = session.new_run(fresh, runs), {}
    watch = Stopwatch()

    def emit(event: Event) -> None:
        nonlocal watch
        if isinstance(event, RunStarted):
            watch = Stopwatch()
        if isinstance(event, EpochFinished):
            times[name] = watch.took()

    with kept(run) if name == CAPTURED else nothing_kept():
        ended = session.execute(fresh, run, emit=emit, control=RunControl(), intervals=False)
    if ended.status != "completed":
        raise RuntimeError(ended.error)
    if name == CAPTURED and "of the loss" not in run.console_file.read_text(encoding="utf-8"):
        raise RuntimeError("what was printed is not kept")
    return times


@contextmanager
def kept(run: Any) -> Iterator[None]:
    """Context manager in which what is printed is kept with a run, as the app does."""
    with Capture() as capture:
        console = RunConsole(capture.read, lambda: run, lambda told: None)
        console.start()
        try:
            yield
        finally:
            sys.stdout.flush()
            console.close()


def compare(variants: dict[str, dict[str, Any]], runs: Path, rounds: int) -> list[Row]:
    """Return the table of some variants, of which the first one is the baseline."""
    contestants = [partial(epoch, name, prepare(changes), runs) for name, changes in variants.items()]
    return rows(in_turns(contestants, rounds), next(iter(variants)), BUDGETS)


def time_preflight() -> float:
    """Return the seconds of the first pre-flight in a process."""
    prepared = prepare({"model": own("Network")})
    began = time.perf_counter()
    preflight(prepared)
    return time.perf_counter() - began


def main() -> None:
    """Measure, print, and write the numbers if asked."""
    given = options((__doc__ or "").splitlines()[0])
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as runs:
        tables = [
            compare(VARIANTS, Path(runs), given.rounds),
            compare({PRINTED: PRINTING, CAPTURED: PRINTING}, Path(runs), given.rounds),
        ]
    for table in tables:
        print_table(f"an epoch of {SAMPLES:,} samples", table)
    command = [sys.executable, "-m", "benchmarks.added", PREFLIGHT]
    seconds = [
        float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        for _ in range(given.rounds)
    ]
    print(
        f"pre-flight of an own network: {min(seconds):.2f} to {max(seconds):.2f} s, budget {MAX_PREFLIGHT:g} s"
    )
    if given.json:
        numbers = [dataclasses.asdict(row) for table in tables for row in table]
        given.json.write_text(json.dumps({"rows": numbers, "preflight_seconds": seconds}, indent=2) + "\n")


if __name__ == "__main__":
    if sys.argv[1:] == [PREFLIGHT]:
        print(time_preflight())
    else:
        main()
