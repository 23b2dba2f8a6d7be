"""From a key to the screen: while torch loads, while a run trains, among thousands of runs, and in one of 500 metrics.

    python -m benchmarks.keys [--quick] [--json FILE]

The app runs in a real pseudo-terminal of 120x40. Down and Up move a cursor by a row, brackets turn a page of charts,
`PAUSE` after the one before: the clock runs from writing the key until the bytes that draw the cursor, or the number of
the page, arrive. They are interpreted after that: what a terminal takes for them is not the app's. Times of single keys
are written, with their median, the value that 99 of 100 stay below, and the longest.
"""

import json
import re
import signal
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import pexpect

from benchmarks.harness import QUICK_ROUNDS, options
from benchmarks.interface import settings
from benchmarks.many_metrics import METRICS, write_run
from benchmarks.many_runs import write_runs
from benchmarks.mnist import mnist_root
from tests.support.terminal import SECONDS, Terminal

KEYS, FEW_KEYS, RUNS, FEW_RUNS = 200, 40, 10_000, 1_000
CURSOR, PAGE = "▸", "page "
PAUSE = 0.05
"""Seconds between an answer and the next key; a keyboard repeats a key 20 to 30 times a second."""
MEDIAN_SECONDS, MAX_SECONDS = 0.02, 0.1
"""Seconds: of the median, and of 99 keys of 100."""


@contextmanager
def terminal_in(folder: Path, *arguments: str) -> Iterator[Terminal]:
    """`tui` with `arguments`, killed at the end."""
    terminal = Terminal(["-m", "tui", *arguments], folder, 120, 40)
    terminal.process.delaybeforesend = None  # pexpect would wait for 50 ms before it sends a key
    try:
        yield terminal
    finally:
        terminal.process.kill(signal.SIGKILL)
        terminal.end()


def row_of(text: str) -> int:
    """Return the row of the screen with the cursor; -1 before there is one."""
    return next((row for row, line in enumerate(text.splitlines()) if CURSOR in line), -1)


def page_of(text: str) -> int:
    """Return the page of charts that the screen shows; -1 before there are any."""
    found = re.search(PAGE + r"(\d+) of", text)
    return int(found[1]) if found else -1


@dataclass(frozen=True)
class Pair:
    """Two keys that undo each other.

    Attributes:
        place: what they change, of the text of a screen; -1 where it is not shown.
        sign: text that is drawn anew with it.
    """

    keys: tuple[str, str]
    place: Callable[[str], int]
    sign: str


ROWS, PAGES = Pair(("\x1b[B", "\x1b[A"), row_of, CURSOR), Pair(("]", "["), page_of, PAGE)


def answered(terminal: Terminal, key: str, pair: Pair) -> float:
    """Press a key; return the seconds until another place is drawn."""
    before, begun = pair.place(terminal.text), time.perf_counter()
    terminal.press(key)
    while pair.place(terminal.text) in (before, -1):
        came = b""
        while pair.sign.encode() not in came:
            came += terminal.process.read_nonblocking(65536, timeout=SECONDS)
        taken = time.perf_counter() - begun
        terminal.stream.feed(came)
    return taken


def rest(terminal: Terminal) -> None:
    """Read what else the app draws for `PAUSE`."""
    end = time.perf_counter() + PAUSE
    while (left := end - time.perf_counter()) > 0:
        with suppress(pexpect.TIMEOUT):
            terminal.stream.feed(terminal.process.read_nonblocking(65536, timeout=left))


def times_of(
    terminal: Terminal, count: int, enough: Callable[[str], bool] = lambda text: False, pair: Pair = ROWS
) -> list[float]:
    """Press keys one after the other, until there are `count`, or the screen says that it is enough."""
    terminal.wait_for(lambda text: pair.place(text) >= 0)
    keys = cycle(pair.keys)
    taken: list[float] = []
    while len(taken) < count and not enough(terminal.text):
        rest(terminal)
        taken.append(answered(terminal, next(keys), pair))
    return taken


def while_torch_loads(folder: Path, count: int) -> list[float]:
    """Keys in Runs until the device is known, again and again."""
    write_runs(folder / "runs", 100)
    taken: list[float] = []
    while len(taken) < count:
        with terminal_in(folder) as terminal:
            new = times_of(terminal, count - len(taken), lambda text: "cores" in text.splitlines()[0])
        taken += new
    return taken


def while_training(folder: Path, root: Path, count: int) -> list[float]:
    """Keys in the form beside the training of MNIST."""
    folder.mkdir()
    with terminal_in(folder, "train", *settings(root)) as terminal:
        terminal.wait_for("running")
        terminal.press("2")
        terminal.wait_for("Optimizer")
        terminal.wait_for("ready:")
        return times_of(terminal, count)


def among_many_runs(folder: Path, runs: int, count: int) -> list[float]:
    """Keys in Runs, once all are listed."""
    write_runs(folder / "runs", runs)
    with terminal_in(folder) as terminal:
        terminal.wait_for(lambda text: f"runs  {runs:,} " in text and "cores" in text.splitlines()[0])
        return times_of(terminal, count)


def in_many_metrics(folder: Path, count: int) -> list[float]:
    """Keys in Live, once all of a run of 500 metrics is read."""
    run = write_run(folder / "runs")
    with terminal_in(folder, "watch", run.id) as terminal:
        terminal.wait_for(lambda text: "completed" in text and "cores" in text.splitlines()[0])
        return times_of(terminal, count, pair=PAGES)


def main() -> None:
    """Measure, print, and write the numbers if asked."""
    given = options(__doc__.splitlines()[0])
    quick = given.rounds == QUICK_ROUNDS
    count, runs = (FEW_KEYS, FEW_RUNS) if quick else (KEYS, RUNS)
    with tempfile.TemporaryDirectory() as name, mnist_root() as (root, _):
        folder = Path(name)
        times = {
            "while torch loads": while_torch_loads(folder / "loads", count),
            "while a run trains": while_training(folder / "trains", root, count),
            f"{runs:,} runs listed": among_many_runs(folder / "many", runs, count),
            f"a run of {METRICS} metrics": in_many_metrics(folder / "metrics", count),
        }
    print(f"{count} keys each, milliseconds until the screen shows what they did")
    print(f"  {'':20}  median  99 of 100  longest   budget {1000 * MEDIAN_SECONDS:g}, {1000 * MAX_SECONDS:g}")
    for what, taken in times.items():
        numbers = (statistics.median(taken), sorted(taken)[int(0.99 * (len(taken) - 1))], max(taken))
        print("  {:20}  {:6.1f}  {:9.0f}  {:7.0f}".format(what, *(1000 * number for number in numbers)))
    if given.json is not None:
        given.json.write_text(json.dumps({"keys": count, "runs": runs, "seconds": times}, indent=1) + "\n")


if __name__ == "__main__":
    main()
