"""What watching costs: epochs of MNIST headless, with the Live screen beside them, and followed from outside.

The screen beside them is once left alone, and once keys are pressed and its window is resized all the time.

    python -m benchmarks.interface [--quick] [--json FILE]

Each is a process of its own in a real pseudo-terminal of 120x40 and trains 784-100-10 with SGD and batches of 64 on
one thread; the median seconds of its epochs after the first two count.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

from benchmarks.harness import Took, in_turns, options, print_table, rows, write
from benchmarks.mnist import mnist_root
from core.runs.folder import all_runs
from tests.terminal import Terminal

EPOCHS, WARM_UP = 12, 2
HEADLESS, BESIDE, PRESSED, FOLLOWED = (
    "headless",
    "Live screen, training thread beside it",
    "Live screen, the same, keys and resizing",
    "Live screen, background process",
)
KEYS = "l+z-,l.+z-z."
"""Pressed one after the other; each changes what the charts or the tables show."""
SIZES = ((100, 32), (120, 40), (160, 48), (120, 40))
KEY_SECONDS = 0.2
KEYS_A_SIZE = 5
BUDGETS = {BESIDE: 1.05, FOLLOWED: 1.01}


def settings(root: Path) -> list[str]:
    """The options that all are started with."""
    return [
        *("--data", "mnist", "--data-root", str(root), "--optimizer", "sgd"),
        *("--epochs", str(EPOCHS), "--threads", "1", "--device", "cpu"),
    ]


def headless(root: Path) -> dict[str, Took]:
    """`tui train --no-ui`, its lines thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "tui",
            "train",
            "--no-ui",
            "--runs",
            f"{folder}/runs",
            *settings(root),
        ]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return {HEADLESS: epoch_seconds(Path(folder) / "runs")}


def beside(root: Path) -> dict[str, Took]:
    """`tui train`: the app's own worker thread."""
    return {BESIDE: in_app(root, lambda terminal: terminal.wait_for("completed"))}


def pressed(root: Path) -> dict[str, Took]:
    """The same, while somebody plays with the keys and the window."""
    return {PRESSED: in_app(root, lambda terminal: terminal.wait_for(Player(terminal).has_ended))}


class Player:
    """Presses the next key, or resizes the window, whenever that is due and the screen has changed."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.keys, self.sizes = cycle(KEYS), cycle(SIZES)
        self.pressed = 0
        self.due = 0.0

    def has_ended(self, text: str) -> bool:
        """Whether training is done; plays on if not."""
        if "running" in text and time.monotonic() >= self.due:
            self.due = time.monotonic() + KEY_SECONDS
            self.terminal.press(next(self.keys))
            self.pressed += 1
            if self.pressed % KEYS_A_SIZE == 0:
                self.terminal.resize(*next(self.sizes))
        return "completed" in text


def in_app(root: Path, watch: Callable[[Terminal], object]) -> Took:
    """An epoch in the app, while `watch` looks at its terminal until the end."""
    with tempfile.TemporaryDirectory() as folder:
        terminal = Terminal(["-m", "tui", "train", *settings(root)], Path(folder), 120, 40)
        watch(terminal)
        terminal.press("\x11")
        terminal.end()
        return epoch_seconds(Path(folder) / "runs")


def followed(root: Path) -> dict[str, Took]:
    """`tui train --no-ui` in one process, `tui watch` in another."""
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder) / "runs"
        command = [
            sys.executable,
            "-m",
            "tui",
            "train",
            "--no-ui",
            "--json",
            "--runs",
            str(runs),
            *settings(root),
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as training:
            assert training.stdout is not None
            training.stdout.readline()
            terminal = Terminal(["-m", "tui", "watch", "latest"], Path(folder), 120, 40)
            training.stdout.read()
        terminal.wait_for("completed")
        terminal.press("\x11")
        terminal.end()
        return {FOLLOWED: epoch_seconds(runs)}


def epoch_seconds(runs: Path) -> Took:
    """The median of the only run's epochs, from its log."""
    (run,) = all_runs(runs)
    events = [json.loads(line) for line in run.log_file.read_text().splitlines()]
    seconds = [event["seconds"] for event in events if event["event"] == "epoch_finished"][WARM_UP:]
    median = statistics.median(seconds)
    return Took(median, median)


def main() -> None:
    """Measure, print, and write the numbers if asked."""
    given = options(__doc__.splitlines()[0])
    with mnist_root() as (root, data):
        contestants = [
            lambda: headless(root),
            lambda: beside(root),
            lambda: pressed(root),
            lambda: followed(root),
        ]
        table = rows(in_turns(contestants, given.rounds), HEADLESS, BUDGETS)
    title = f"one epoch of {data}, 784-100-10, 1 thread, {given.rounds} rounds"
    print_table(title, table)
    write(given.json, title, table, rounds=given.rounds, epochs=EPOCHS)


if __name__ == "__main__":
    main()
