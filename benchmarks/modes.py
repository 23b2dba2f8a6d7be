"""Returning to a mode: from its key to the last byte of its frame, and memory over hundreds of switches.

    python -m benchmarks.modes [--quick] [--json FILE]

The app runs in a real pseudo-terminal of 120x40, beside 1,000 runs, three that were trained on digits and a study of
ten trials. One trained run is shown in Live, one in Evaluate, all three in Compare, the study in Tune; each mode was
seen before. A frame has ended when nothing has come for `QUIET`; it is interpreted after that. Memory is compared
over more switches, between which nothing is waited for but the first byte.
"""

import json
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, cycle, islice
from pathlib import Path

import pexpect
import psutil

from benchmarks.harness import QUICK_ROUNDS, options
from benchmarks.many_runs import write_runs
from tests.support.terminal import Terminal

TIMED, FEW_TIMED = 240, 30
SWITCHES, FEW_SWITCHES = 500, 60
"""Of which some are timed, for the growth of memory."""
WARM_UP = 30
"""Switches before."""
RUNS, TRAINED, TRIALS = 1_000, 3, 10
MODES = {
    "runs": f"runs  {RUNS + TRAINED:,} ",
    "configure": "Optimizer",
    "live": "epoch 30/30",
    "evaluate": "Summary",
    "tune": f"{TRIALS} trials",
    "compare": "settings that differ",
}
"""The modes in their order, and what each shows."""
NEXT_MODE, HOME, DOWN, UP = "\x1b[6;5~", "\x1b[H", "\x1b[B", "\x1b[A"
OPENING = (
    ("1", f"runs  {RUNS + TRAINED:,}  studies  1"),
    (HOME, f"▸ ▸ {TRIALS} trials"),
    (DOWN, "▸ ✓ completed"),
    *((" ", f"{marked + 1} marked") for marked in range(TRAINED)),
    ("6", "settings that differ"),
    ("1", "marked"),
    (UP, "digits-mlp"),
    ("e", "balanced accuracy"),
    ("5", "search space"),
    ("\x0f", "Open a study"),
    ("\r", f"{TRIALS} trials"),
    ("1", "marked"),
)
"""Keys that give each mode its content, and what each shows."""
QUIET, SHORT, LONGEST = 0.2, 0.02, 5.0
"""Seconds without a byte after which a frame has ended, where it is timed and elsewhere; seconds after which a mode
that never rests is left."""
REST = 3.0
"""Seconds after the last switch: garbage is collected at rest."""
MAX_SECONDS, MAX_GROWTH = 0.1, 8
"""Seconds of a return to a mode, and MiB of memory over all switches."""


def write_content(folder: Path) -> None:
    """Write runs that each mode has something to show of."""
    write_runs(folder, RUNS)
    given = ["--no-ui", "--runs", str(folder), "--data", "digits", "--threads", "1"]
    for command in (
        *(["train", *given, "--epochs", "30", "--seed", str(seed)] for seed in range(TRAINED)),
        ["tune", *given, "--epochs", "3", "--trials", str(TRIALS)],
    ):
        subprocess.run(
            [sys.executable, "-m", "tui", *command],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def read_frame(terminal: Terminal, begun: float, quiet: float = QUIET) -> float:
    """Read until nothing has come for some seconds; return the seconds from `begun` to the last byte."""
    last, came = begun, b""
    while last - begun < LONGEST:
        try:
            came += terminal.process.read_nonblocking(65536, timeout=quiet)
        except pexpect.TIMEOUT:
            if came or time.perf_counter() - begun > LONGEST:
                break
        else:
            last = time.perf_counter()
    terminal.stream.feed(came)
    return last - begun


def press(terminal: Terminal, key: str, quiet: float = QUIET) -> float:
    """Press a key; return the seconds until what it does is drawn."""
    begun = time.perf_counter()
    terminal.press(key)
    return read_frame(terminal, begun, quiet)


@contextmanager
def app_with_content(folder: Path) -> Iterator[Terminal]:
    """The app in a terminal, in Runs, once each mode has its content."""
    terminal = Terminal(["-m", "tui", "watch", "latest"], folder, 120, 40)
    terminal.process.delaybeforesend = None
    try:
        terminal.wait_for("epoch 30/30")
        for key, shown in OPENING:
            terminal.press(key)
            terminal.wait_for(shown)
        yield terminal
    finally:
        terminal.process.kill(signal.SIGKILL)
        terminal.end()


def main() -> None:
    """Measure, print, and write the numbers if asked."""
    given = options(__doc__.splitlines()[0])
    quick = given.rounds == QUICK_ROUNDS
    timed, switches = (FEW_TIMED, FEW_SWITCHES) if quick else (TIMED, SWITCHES)
    times: dict[str, list[float]] = {mode: [] for mode in MODES}
    with tempfile.TemporaryDirectory() as name:
        write_content(Path(name) / "runs")
        with app_with_content(Path(name)) as terminal:
            modes = cycle([*MODES][1:] + [*MODES][:1])
            for _ in islice(modes, WARM_UP):
                press(terminal, NEXT_MODE)
            process = psutil.Process(terminal.process.pid)
            before = process.memory_info().rss
            for mode in islice(modes, timed):
                times[mode].append(press(terminal, NEXT_MODE))
                assert MODES[mode] in terminal.text, f"{mode} is not shown:\n{terminal.text}"
            for _ in islice(modes, switches - timed):
                press(terminal, NEXT_MODE, quiet=SHORT)
            time.sleep(REST)
            growth = (process.memory_info().rss - before) / 2**20
    print(
        f"{timed} switches, milliseconds to the last byte of the mode's frame (budget {1000 * MAX_SECONDS:g})"
    )
    print(f"  {'':10}  median  99 of 100  longest")
    for mode, taken in [*times.items(), ("all", [*chain(*times.values())])]:
        numbers = (statistics.median(taken), sorted(taken)[int(0.99 * (len(taken) - 1))], max(taken))
        print("  {:10}  {:6.0f}  {:9.0f}  {:7.0f}".format(mode, *(1000 * number for number in numbers)))
    print(f"  memory: {growth:+.1f} MiB over {switches} switches (budget {MAX_GROWTH})")
    if given.json is not None:
        given.json.write_text(json.dumps({"seconds": times, "growth_mib": growth}, indent=1) + "\n")


if __name__ == "__main__":
    main()
