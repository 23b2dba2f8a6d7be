"""Thousands of runs in one folder: when the list shows a screenful of them, and when it shows all.

    python -m benchmarks.many_runs [--quick] [--json FILE]

The app is started in a real pseudo-terminal of 120x40, beside a folder with one screenful of runs. The catalogue
under it is measured by itself. The files were just written, so the system still has them in memory.
"""

import datetime
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from benchmarks.harness import QUICK_ROUNDS, Stopwatch, Took, in_turns, options, print_table, rows, write
from benchmarks.long_run import events, started
from core.events import RunFinished, to_json
from core.runs.catalogue import Catalogue
from tests.support.terminal import Terminal

RUNS, FEW = 20_000, 100
STEPS = 2000
"""Of a run, every tenth of them logged."""
SCREENFUL = 25
FIRST_DAY = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
FEW_SHOWN = f"app, {FEW} runs: a screenful"
CATALOGUE = "catalogue alone"


def write_runs(folder: Path, count: int) -> Path:
    """So many completed runs, an hour apart, which say the same at other times."""
    said = [started(STEPS), *list(events(0, STEPS))[9::10], RunFinished(status="completed")]
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


def in_catalogue(folder: Path, count: int) -> dict[str, Took]:
    """The first batch, all, and another look when nothing has changed."""
    catalogue, watch = Catalogue(folder), Stopwatch(time.thread_time)
    told: dict[str, Took] = {}
    found = 0
    for changes in catalogue.changes():
        told.setdefault(f"{CATALOGUE}: the first batch", watch.took())
        found += len(changes)
    assert found == count, f"{found} of {count} runs were found"
    told[f"{CATALOGUE}: all"] = watch.took()
    watch = Stopwatch(time.thread_time)
    assert not list(catalogue.changes()), "a run that did not change was told again"
    return {**told, f"{CATALOGUE}: another look": watch.took()}


def is_screenful(text: str) -> bool:
    """Return whether the rows are filled."""
    return text.count("completed") >= SCREENFUL


def main() -> None:
    """Measure, print, and write the numbers if asked."""
    given = options(__doc__.splitlines()[0])
    count = RUNS // 10 if given.rounds == QUICK_ROUNDS else RUNS
    with tempfile.TemporaryDirectory() as name:
        few, many = Path(name) / "few", Path(name) / "many"
        write_runs(few / "runs", FEW)
        runs = write_runs(many / "runs", count)
        shown = {
            f"app, {count:,} runs: a screenful": is_screenful,
            f"app, {count:,} runs: all": lambda text: f"runs  {count:,} " in text and "…" not in text,
        }
        table = rows(
            in_turns(
                [
                    lambda: in_app(few, {FEW_SHOWN: is_screenful}),
                    lambda: in_app(many, shown),
                    lambda: in_catalogue(runs, count),
                ],
                given.rounds,
            ),
            FEW_SHOWN,
            {},
        )
    title = f"{count:,} runs listed, {given.rounds} rounds"
    print_table(title, table)
    write(given.json, title, table, rounds=given.rounds, runs=count)


if __name__ == "__main__":
    main()
