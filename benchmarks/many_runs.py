"""Thousands of runs in one folder: when the list shows a screenful of them, and when it shows all.

    python -m benchmarks.many_runs [--quick] [--json FILE]

The app is started in a real pseudo-terminal of 120x40, beside a folder with one run; `tui runs` prints the same list.
The catalogue under both is measured by itself. The files were just written, so the system still has them in memory.
"""

import datetime
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from benchmarks.harness import QUICK_ROUNDS, Stopwatch, Took, in_turns, options
from benchmarks.long_run import events, started
from benchmarks.startup import whole
from core.events import RunFinished, StepLogged, to_json
from core.runs.catalogue import Catalogue
from tests.support.terminal import Terminal

RUNS = 20_000
STEPS = 2000
"""Of a run, every tenth of them logged."""
SCREENFUL = 25
FIRST_DAY = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
ONE, SCREEN, ALL = "app, one run", "app: a screenful, beyond an app with one run", "app: all"
COMMAND, FIRST, CATALOGUE, AGAIN = (
    "tui runs",
    "catalogue: the first batch",
    "catalogue: all",
    "catalogue: again",
)
BUDGETS = {
    SCREEN: ("seconds", 1.0),
    ALL: ("processor", 10.0),
    COMMAND: ("processor", 10.0),
    AGAIN: ("processor", 0.2),
}
"""Seconds of the clock or of the processor, at the most."""


def write_runs(folder: Path, count: int) -> Path:
    """So many completed runs, an hour apart, which say the same at other times."""
    logged = [
        event for event in events(0, STEPS) if not isinstance(event, StepLogged) or event.step % 10 == 0
    ]
    said = [started(STEPS), *logged, RunFinished(status="completed")]
    lines = [to_json(event, "run").partition('"time": ')[::2] for event in said]
    for number in range(count):
        begun = FIRST_DAY + datetime.timedelta(hours=number)
        run = folder / f"{begun:%Y-%m-%d_%H%M}_mnist-mlp_abc"
        run.mkdir(parents=True)
        text = "\n".join(
            f'{before}"time": {begun.timestamp() + second}{after[after.index(",") :]}'
            for second, (before, after) in enumerate(lines)
        )
        (run / "events.jsonl").write_text(text + "\n")
    return folder


def in_app(folder: Path, waits: dict[str, Callable[[str], bool]]) -> dict[str, Took]:
    """From the start of the process until the screen shows each of some things, one after the other."""
    watch = Stopwatch()
    terminal = Terminal(["-m", "tui"], folder, 120, 40)
    process = psutil.Process(terminal.process.pid)
    told = {}
    for name, seen in waits.items():
        terminal.wait_for(seen)
        times = process.cpu_times()
        told[name] = Took(watch.took().wall, times.user + times.system)
    terminal.press("\x11")
    terminal.end()
    return told


def in_app_beyond(few: Path, many: Path, shown: dict[str, Callable[[str], bool]]) -> dict[str, Took]:
    """The same of an app with one run and of one with many; of a screenful only what comes on top."""
    one = in_app(few, {ONE: lambda text: "completed" in text})[ONE]  # without runs it opens the form
    told = in_app(many, shown)
    screen = told[SCREEN]
    return {ONE: one, **told, SCREEN: Took(screen.wall - one.wall, screen.processor - one.processor)}


def in_catalogue(folder: Path, count: int) -> dict[str, Took]:
    """The first batch, all, and another look when nothing has changed."""
    catalogue, watch = Catalogue(folder), Stopwatch(time.thread_time)
    told: dict[str, Took] = {}
    found = 0
    for changes in catalogue.changes():
        told.setdefault(FIRST, watch.took())
        found += len(changes)
    assert found == count, f"{found} of {count} runs were found"
    told[CATALOGUE] = watch.took()
    watch = Stopwatch(time.thread_time)
    assert not list(catalogue.changes()), "a run that did not change was told again"
    return {**told, AGAIN: watch.took()}


def is_screenful(text: str) -> bool:
    """Return whether the rows are filled."""
    return text.count("completed") >= SCREENFUL


def print_seconds(title: str, times: dict[str, list[Took]]) -> dict[str, dict[str, float]]:
    """Print medians and the longest, each with its budget; and return them."""
    print(f"{title}\n  {'':45}  seconds  longest  processor  longest  budget")
    found = {}
    for name, taken in times.items():
        wall, processor = [took.wall for took in taken], [took.processor for took in taken]
        found[name] = {
            "seconds": statistics.median(wall),
            "longest": max(wall),
            "processor": statistics.median(processor),
            "longest_processor": max(processor),
        }
        of, budget = BUDGETS.get(name, ("", 0.0))
        print(
            f"  {name:45}"
            + "".join(f"{value:9.3f}" for value in found[name].values())
            + (f"  {budget:.1f} of {of}" if of else ""),
            flush=True,
        )
    return found


def main() -> None:
    """Measure, print, and write the numbers if asked."""
    given = options(__doc__.splitlines()[0])
    rounds = 1 if given.rounds == QUICK_ROUNDS else given.rounds
    with tempfile.TemporaryDirectory() as name:
        few, many = Path(name) / "few", Path(name) / "many"
        write_runs(few / "runs", 1)
        runs = write_runs(many / "runs", RUNS)
        shown = {
            SCREEN: is_screenful,
            ALL: lambda text: f"runs  {RUNS:,} " in text and "…" not in text,
        }
        command = "-m", "tui", "runs", "--runs", str(runs)
        times = in_turns(
            [
                lambda: in_app_beyond(few, many, shown),
                lambda: whole(COMMAND, *command),
                lambda: in_catalogue(runs, RUNS),
            ],
            rounds,
        )
    title = f"{RUNS:,} runs listed, rounds: {rounds}"
    found = print_seconds(title, times)
    if given.json is not None:
        given.json.write_text(
            json.dumps({"title": title, "rounds": rounds, "runs": RUNS, "took": found}, indent=2)
        )


if __name__ == "__main__":
    main()
