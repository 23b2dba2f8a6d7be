"""A run that goes on and on: how long its charts take to draw, and how much memory it takes, as it grows.

    python -m benchmarks.long_run [--quick] [--json FILE]

First a run whose events are taken in as they come, then one followed through its log. A redraw is what one more
second of training changes in the chart of the loss of the Live screen at 200x60: from the history to the lines of
the screen.
"""

import asyncio
import gc
import json
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import psutil
from textual.app import App, ComposeResult

from benchmarks.harness import QUICK_ROUNDS, Stopwatch, options
from core.config.schema import TrainConfig, to_dict
from core.events import EpochFinished, Event, RunStarted, StepLogged, to_json
from core.runs.folder import Run
from core.runs.history.history import History
from tui.charts.live import View, metric_chart
from tui.charts.plot import Plot
from tui.runtime.feed import RunFeed
from tui.runtime.hosts.log_host import LogHost

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
FOLLOWED_SIZES = (10_000, 100_000, 1_000_000)
STEPS_PER_EPOCH = 1000
A_SECOND = 10
"""Steps logged in a second."""
REDRAWS = 30
BUDGET = 20
"""Milliseconds of a chart's redraw."""

Numbers = list[dict[str, float]]


def started(steps: int) -> RunStarted:
    """The first event of a run of so many steps."""
    return RunStarted(
        config=to_dict(TrainConfig()),
        task="multiclass",
        samples={"train": 60_000, "validation": 6000, "test": 10_000},
        classes=[str(digit) for digit in range(10)],
        sample_shape=[1, 28, 28],
        parameters=79_510,
        device="cpu",
        threads=1,
        epochs=steps // STEPS_PER_EPOCH,
        steps_per_epoch=STEPS_PER_EPOCH,
    )


def events(first: int, last: int) -> Iterator[Event]:
    """Yield the events of a run from one step to another: a noisy falling loss, and an epoch now and then."""
    rng = np.random.default_rng(first)
    for step in range(first + 1, last + 1):
        noise = rng.random()
        train = {"loss": 2.3 / (1 + step / 1e5) + 0.2 * noise, "accuracy": 0.9 + 0.1 * noise}
        epoch = 1 + (step - 1) // STEPS_PER_EPOCH
        yield StepLogged(epoch=epoch, step=step, train=train, lr=0.1, samples_per_second=1e5)
        if step % STEPS_PER_EPOCH == 0:
            yield EpochFinished(
                epoch=epoch,
                step=step,
                train=train,
                validation=train,
                lr=0.1,
                seconds=1.0,
                best_epoch=epoch,
                best_metrics=train,
                confusion=[[10] * 10] * 10,
            )


class OneChart(App[None]):
    """A chart as large as that of the loss on a large screen."""

    CSS = "Plot { width: 98; height: 24; }"

    def compose(self) -> ComposeResult:
        yield Plot()

    def redraw(self, history: History) -> None:
        """Draw what the history holds now."""
        self.query_one(Plot).show(metric_chart(history, "loss", View()))


def resident() -> float:
    """MiB of this process that are in memory."""
    gc.collect()
    return psutil.Process().memory_info().rss / 2**20


def taken_in(sizes: tuple[int, ...]) -> Numbers:
    """Measure one run at each size: milliseconds per redraw, and MiB."""
    return asyncio.run(_taken_in(sizes))


async def _taken_in(sizes: tuple[int, ...]) -> Numbers:
    history, app = History(), OneChart()
    table: Numbers = []
    step = 0
    async with app.run_test(size=(200, 60)) as pilot:
        history.apply(started(sizes[-1]))
        for size in sizes:
            watch, before = Stopwatch(), step
            for event in events(before, size):
                history.apply(event)
            microseconds, step = 1e6 * watch.took().processor / (size - before), size
            app.redraw(history)
            taken = []
            for _ in range(REDRAWS):
                await pilot.pause()
                for event in events(step, step + A_SECOND):
                    history.apply(event)
                step += A_SECOND
                watch = Stopwatch(time.thread_time)
                app.redraw(history)
                taken.append(watch.took())
            wall = [1000 * took.wall for took in taken]
            table.append(
                {
                    "steps": size,
                    "event_us": microseconds,
                    "redraw_ms": statistics.median(wall),
                    "least_ms": min(wall),
                    "most_ms": max(wall),
                    "processor_ms": 1000 * statistics.median(took.processor for took in taken),
                    "resident_mib": resident(),
                }
            )
    return table


def followed(sizes: tuple[int, ...]) -> Numbers:
    """Measure one run read through its log at each size: microseconds per event, and MiB."""
    table: Numbers = []
    step = 0
    with tempfile.TemporaryDirectory() as folder:
        run = Run(Path(folder) / "run")
        run.path.mkdir()
        feed = RunFeed(LogHost(run))
        with run.log_file.open("w") as log:
            print(to_json(started(sizes[-1]), run.id), file=log)
            for size in sizes:
                log.writelines(f"{to_json(event, run.id)}\n" for event in events(step, size))
                log.flush()
                watch = Stopwatch()
                while feed.poll():
                    pass
                microseconds = 1e6 * watch.took().processor / (size - step)
                assert feed.history.step == size, "the log was not read to its end"
                step = size
                table.append({"steps": size, "event_us": microseconds, "resident_mib": resident()})
    return table


def afresh(function: Callable[[tuple[int, ...]], Numbers], sizes: tuple[int, ...]) -> Numbers:
    """Call in a process of its own, so that no other memory is counted."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, sizes).result()


def main() -> None:
    """Print both tables; write them to a file if asked."""
    given = options(__doc__.splitlines()[0])
    fewer = 10 if given.rounds == QUICK_ROUNDS else 1
    taken = afresh(taken_in, tuple(size // fewer for size in SIZES))
    print(f"a run taken in as it goes on; {REDRAWS} redraws of a chart of 98x24, budget {BUDGET} ms")
    print("  logged steps  us an event  redraw ms     min     max  of processor time  ratio  resident MiB")
    for row in taken:
        ratio = row["processor_ms"] / taken[0]["processor_ms"]
        print(
            "  {steps:>12,} {event_us:12.1f} {redraw_ms:10.1f} {least_ms:7.1f} {most_ms:7.1f} {processor_ms:18.1f}"
            "{ratio:7.2f} {resident_mib:13.1f}".format(ratio=ratio, **row),
            flush=True,
        )
    through_log = afresh(followed, tuple(size // fewer for size in FOLLOWED_SIZES))
    print("a run followed through its log\n  logged steps  us an event  resident MiB")
    for row in through_log:
        print("  {steps:>12,} {event_us:12.1f} {resident_mib:13.1f}".format(**row))
    if given.json:
        numbers = {"redraws": REDRAWS, "budget_ms": BUDGET, "taken_in": taken, "followed": through_log}
        given.json.write_text(json.dumps(numbers, indent=2) + "\n")


if __name__ == "__main__":
    main()
