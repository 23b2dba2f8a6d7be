"""Shared by all parts: taking turns, the statistics, the table, and the machine they ran on.

A part is a module with a `main` that prints its table, takes ``--quick`` and ``--json FILE``, and is named in
`benchmarks.__main__`.
"""

import argparse
import json
import os
import platform
import resource
import signal
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

__all__ = [
    "Row",
    "Stopwatch",
    "Took",
    "in_turns",
    "machine",
    "options",
    "peak",
    "print_table",
    "rows",
    "write",
]

ROUNDS, QUICK_ROUNDS = 5, 3
PACKAGES = ("torch", "torchvision", "numpy", "scikit-learn", "textual", "plotext", "optuna")


@dataclass(frozen=True)
class Took:
    """Seconds on the clock, and seconds of processor time: the second says more on a busy machine."""

    wall: float
    processor: float


class Stopwatch:
    """Runs from the moment it is made.

    Args:
        processor: tells the processor time so far in seconds; that of this process unless others work too.
    """

    def __init__(self, processor: Callable[[], float] = time.process_time) -> None:
        self._processor_time = processor
        self._wall, self._processor = time.perf_counter(), processor()

    def took(self) -> Took:
        """The time since then."""
        return Took(time.perf_counter() - self._wall, self._processor_time() - self._processor)


Contestant = Callable[[], Mapping[str, Took]]
"""Works once and tells what it took, by the name that the table shows; one may tell several times."""


@dataclass(frozen=True)
class Row:
    """One line of a table.

    Attributes:
        seconds, least, most: median, minimum and maximum on the clock.
        ratio: median over the rounds of the time divided by the baseline's in the same round.
        processor_ratio: the same of processor time.
        budget: largest ratio that the design allows; None where it allows any.
    """

    name: str
    seconds: float
    least: float
    most: float
    ratio: float
    processor_ratio: float
    budget: float | None = None


def in_turns(contestants: list[Contestant], rounds: int) -> dict[str, list[Took]]:
    """Times of each name over `rounds` rounds, after one that warms up and is not counted.

    Each round begins with the next contestant, so that none always follows the same one.
    """
    times: dict[str, list[Took]] = {}
    for number in range(rounds + 1):
        first = number % len(contestants)
        for contestant in contestants[first:] + contestants[:first]:
            told = contestant()
            for name, took in told.items() if number else ():
                times.setdefault(name, []).append(took)
    return times


def rows(times: Mapping[str, list[Took]], baseline: str, budgets: Mapping[str, float]) -> list[Row]:
    """One row a name, the baseline first and the others from fast to slow."""
    table = []
    for name, taken in times.items():
        wall = [took.wall for took in taken]
        pairs = list(zip(taken, times[baseline], strict=True))
        table.append(
            Row(
                name=name,
                seconds=statistics.median(wall),
                least=min(wall),
                most=max(wall),
                ratio=statistics.median(took.wall / base.wall for took, base in pairs),
                processor_ratio=statistics.median(took.processor / base.processor for took, base in pairs),
                budget=budgets.get(name),
            )
        )
    return sorted(table, key=lambda row: (row.name != baseline, row.ratio))


def print_table(title: str, table: list[Row]) -> None:
    """The rows as text."""
    width = max(len(row.name) for row in table)
    print(f"{title}\n  {'':{width}}  seconds      min      max    ratio  ratio of processor time  budget")
    for row in table:
        budget = "" if row.budget is None else f"{row.budget:8.2f}"
        print(
            f"  {row.name:{width}} {row.seconds:8.3f} {row.least:8.3f} {row.most:8.3f} {row.ratio:8.2f} "
            f"{row.processor_ratio:24.2f}{budget}",
            flush=True,
        )


def machine() -> dict[str, Any]:
    """The processor, its cores, and the versions that count."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
    }


def peak() -> float:
    """Largest resident memory of this process so far, in MiB."""
    scale = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale / 2**20


def options(description: str, *switches: str) -> argparse.Namespace:
    """``rounds`` and ``json`` of a part's command line, and `switches` of its own.

    Processes that a part starts write and read bytecode, as when installed, whatever PYTHONDONTWRITEBYTECODE says.
    A part that is asked to end (SIGTERM) does so as with Ctrl-C, and with it the processes that it has started.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROUNDS} rounds in place of {ROUNDS}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers to this file too")
    for switch in switches:
        parser.add_argument(switch, action="store_true")
    given = parser.parse_args()
    given.rounds = QUICK_ROUNDS if given.quick else ROUNDS
    return given


def write(file: Path | None, title: str, table: list[Row], **facts: Any) -> None:
    """The numbers of a part as JSON, if a file was asked for."""
    if file is not None:
        numbers = {"title": title, **facts, "rows": [asdict(row) for row in table]}
        file.write_text(json.dumps(numbers, indent=2) + "\n")


def _processor() -> str:
    """The processor's name in words, as far as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
