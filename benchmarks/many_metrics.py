"""Runs with hundreds of metrics, and thousands of logs of other tools: what reading, listing and a key cost.

    python -m benchmarks.many_metrics [--quick] [--json FILE]

The run, our own and as a CSV file, has 500 metrics of validation after each of 500 epochs. It is opened in Live, in
an app without a terminal; a key turns the page of charts. The folder of logs holds 10,000 CSV files of three epochs.
All are seconds of processor time, which other programs change little.
"""

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from benchmarks.harness import options
from benchmarks.long_run import started
from core.events import EpochFinished, RunFinished, to_json
from core.interop.readers.importing import import_logs
from core.runs.folder import Run
from core.runs.history.history import History
from core.runs.log import all_events
from core.runs.summary import summarise

METRICS, EPOCHS = 500, 500
LOGS, FEW_LOGS = 10_000, 1_000
KEYS = 30


def write_run(folder: Path) -> Run:
    """Write a run of many metrics."""
    names = ["loss", *(f"metric_{number}" for number in range(1, METRICS))]
    epochs = (
        EpochFinished(
            time=1e9 + epoch,
            epoch=epoch,
            step=10 * epoch,
            train={"loss": 1 / epoch},
            validation={name: (place + 1) / epoch for place, name in enumerate(names)},
            lr=0.1,
            seconds=1.0,
            best_epoch=epoch,
            best_metrics={"loss": 1 / epoch},
        )
        for epoch in range(1, EPOCHS + 1)
    )
    run = Run(folder / "2026-01-01_0900_many-metrics_abc")
    run.path.mkdir(parents=True)
    events = [started(10 * EPOCHS), *epochs, RunFinished(status="completed")]
    run.log_file.write_text("".join(to_json(event, run.id) + "\n" for event in events))
    return run


def write_table(file: Path, metrics: int, epochs: int) -> None:
    """Write a log as a CSV file."""
    rows = ["epoch,loss," + ",".join(f"val_metric_{number}" for number in range(1, metrics))]
    rows += [
        f"{epoch}," + ",".join(f"{(place + 1) / epoch:.6g}" for place in range(metrics))
        for epoch in range(1, epochs + 1)
    ]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(rows) + "\n")


def cost(work: Callable[[], object]) -> float:
    """Return the seconds of processor time that some work takes."""
    before = time.process_time()
    work()
    return time.process_time() - before


def read(run: Run) -> History:
    """Return all that a run has logged."""
    history = History()
    for event in all_events(run.log_file):
        history.apply(event)
    return history


async def keys_in_live(runs_dir: Path, run: Run) -> tuple[float, list[float]]:
    """Return what opening a run in Live costs, and each key that turns a page of charts."""
    from tui.app.app import TuiApp

    app = TuiApp(runs_dir=runs_dir)
    async with app.run_test(size=(120, 40)) as pilot:
        while app.current_mode != "runs" or not app.screen.query("RunsTable"):
            await pilot.pause(0.05)
        await pilot.pause(2.0)  # torch is loaded, too
        before = time.process_time()
        app.open_run(run)
        while app.feed is None or app.feed.history.finished is None:
            await pilot.pause(0.01)
        await pilot.pause()
        opening, taken = time.process_time() - before, []
        for _ in range(KEYS):
            before = time.process_time()
            await pilot.press("right_square_bracket")
            await pilot.pause()
            taken.append(time.process_time() - before)
    return opening, taken


def main() -> None:
    """Print what each costs."""
    given = options(__doc__)
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run = write_run(folder / "own")
        found["summary of the run for a list"] = cost(lambda: summarise(run))
        found["all of it, as Live reads it"] = cost(lambda: read(run))
        write_table(folder / "table" / "metrics.csv", METRICS, EPOCHS)
        found["the same as a CSV file, copied for a list"] = cost(lambda: import_logs(folder / "table"))
        opening, keys = asyncio.run(keys_in_live(folder / "own", run))
        found["opened in Live"] = opening
        found["a key in Live, median"] = statistics.median(keys)
        found["a key in Live, most"] = max(keys)
        logs = FEW_LOGS if given.quick else LOGS
        for number in range(logs):
            write_table(folder / "logs" / f"run_{number}" / "metrics.csv", 3, 3)
        found[f"{logs:,} logs, copied for a list"] = cost(lambda: import_logs(folder / "logs"))
        found[f"{logs:,} logs, looked at again"] = cost(lambda: import_logs(folder / "logs"))
    memory = psutil.Process().memory_info().rss >> 20
    for what, seconds in found.items():
        print(f"{what:46} {seconds:8.3f} s")
    print(f"{'memory of this process':46} {memory:8} MiB")
    if given.json:
        facts: dict[str, Any] = {"seconds": found, "memory_mib": memory}
        given.json.write_text(json.dumps(facts))


if __name__ == "__main__":
    main()
