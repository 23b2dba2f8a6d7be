"""What watching costs: epochs of MNIST headless, with the Live screen beside them, and followed from outside.

    python -m benchmarks.interface [--quick] [--json FILE]

Each is a process of its own in a real pseudo-terminal of 120x40 and trains 784-100-10 with SGD and batches of 64 on
one thread; the median seconds of its epochs after the first two count.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.harness import Took, in_turns, options, print_table, rows, write
from benchmarks.mnist import mnist_root
from core.runs.folder import all_runs
from tests.terminal import Terminal

EPOCHS, WARM_UP = 12, 2
HEADLESS, BESIDE, FOLLOWED = (
    "headless",
    "Live screen, training thread beside it",
    "Live screen, background process",
)
BUDGETS = {BESIDE: 1.05, FOLLOWED: 1.01}


def settings(root: Path) -> list[str]:
    """The options that all three are started with."""
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
    with tempfile.TemporaryDirectory() as folder:
        terminal = Terminal(["-m", "tui", "train", *settings(root)], Path(folder), 120, 40)
        terminal.wait_for("completed")
        terminal.press("\x11")
        terminal.end()
        return {BESIDE: epoch_seconds(Path(folder) / "runs")}


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
        contestants = [lambda: headless(root), lambda: beside(root), lambda: followed(root)]
        table = rows(in_turns(contestants, given.rounds), HEADLESS, BUDGETS)
    title = f"one epoch of {data}, 784-100-10, 1 thread, {given.rounds} rounds"
    print_table(title, table)
    write(given.json, title, table, rounds=given.rounds, epochs=EPOCHS)


if __name__ == "__main__":
    main()
