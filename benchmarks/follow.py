"""From the moment an event is written to the moment somebody who follows the log has it.

    python -m benchmarks.follow [--quick] [--json FILE]

A process of its own writes events at odd times behind a log that is long already; this one follows it: with a
reader that never rests, with one that reads as often as the Live screen does, and with `tui watch` in a real
pseudo-terminal of 200x60, whose screen is read back.
"""

import json
import multiprocessing
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from benchmarks.harness import QUICK_ROUNDS, options
from benchmarks.long_run import events, started
from core.events import Notice, to_json
from core.runs.folder import Run
from core.runs.lock import hold
from core.runs.log import EventLog, LogReader
from tests.support.terminal import Terminal
from tui.runtime.feed import SHORTEST

STEPS = 100_000
"""Logged before the measurement begins."""
MARKS, QUICK_MARKS = 100, 20
SPARSEST, DENSEST = 0.15, 0.35
"""Seconds between two events."""
READY = "all was read"
"""What the log says last before the measurement begins."""
REST = 0.0005
"""Seconds that the reader which never rests leaves to others."""


def mark(number: int) -> str:
    """Return what identifies an event."""
    return f"mark {number}."


def write_marks(run: Run, count: int) -> None:
    """Train nothing, but write numbered events with the time of their writing."""
    rng = random.Random(0)
    log = EventLog(run)
    with hold(run):
        for number in range(count):
            time.sleep(rng.uniform(SPARSEST, DENSEST))
            log.write(Notice(level="info", message=mark(number)))
    log.close()


def by_reader(run: Run, count: int, pause: float) -> Iterator[float]:
    """Return the times at which events came out of a reader that reads every `pause` seconds."""
    reader = LogReader(run.log_file)
    found = reader.read()
    while found:
        found = reader.read()
    yield 0.0
    while count:
        time.sleep(pause)
        found = reader.read()
        yield from [time.time()] * len(found)
        count -= len(found)


def by_screen(run: Run, count: int) -> Iterator[float]:
    """Return the times at which `tui watch` showed the events."""
    terminal = Terminal(["-m", "tui", "watch", run.id], run.path.parent.parent, 200, 60)
    terminal.wait_for(READY)
    yield 0.0
    for number in range(count):
        terminal.wait_for(mark(number))
        yield time.time()
    terminal.press("\x11")
    terminal.end()


def latencies(follow: Callable[[Run, int], Iterator[float]], count: int) -> list[float]:
    """Seconds from the writing of each event; `follow` first yields once, when it is ready."""
    with tempfile.TemporaryDirectory() as folder:
        run = Run(Path(folder) / "runs" / "2026-01-01_0900_mnist-mlp_abc")
        run.path.mkdir(parents=True)
        before = [started(STEPS), *events(0, STEPS), Notice(level="info", message=READY)]
        run.log_file.write_text("".join(f"{to_json(event, run.id)}\n" for event in before))
        times = follow(run, count)
        next(times)
        writer = multiprocessing.get_context("spawn").Process(target=write_marks, args=(run, count))
        writer.start()
        seen = list(times)
        writer.join()
        lines = run.log_file.read_text().splitlines()[-count:]
    return [at - json.loads(line)["time"] for at, line in zip(seen, lines, strict=True)]


def main() -> None:
    """Measure, print, and write the numbers if asked."""
    given = options(__doc__.splitlines()[0])
    count = QUICK_MARKS if given.rounds == QUICK_ROUNDS else MARKS
    followers = {
        "LogReader, all the time": partial(by_reader, pause=REST),
        f"LogReader, every {SHORTEST} s as Live reads": partial(by_reader, pause=SHORTEST),
        "the screen of tui watch": by_screen,
    }
    numbers = {}
    print(
        f"{count} events behind {STEPS:,} logged steps, milliseconds from writing\n{'':42} median     min     max"
    )
    for name, follow in followers.items():
        found = [1000 * seconds for seconds in latencies(follow, count)]
        numbers[name] = {"median_ms": statistics.median(found), "least_ms": min(found), "most_ms": max(found)}
        print(
            "  {:38} {median_ms:8.1f}{least_ms:8.1f}{most_ms:8.1f}".format(name, **numbers[name]), flush=True
        )
    if given.json:
        given.json.write_text(json.dumps({"events": count, "steps": STEPS, **numbers}, indent=2) + "\n")


if __name__ == "__main__":
    main()
