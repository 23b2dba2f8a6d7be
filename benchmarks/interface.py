"""Cost of watching: epochs of MNIST headless, with the Live screen beside them, and followed from outside.

The screen beside them is once left alone, and once keys are pressed and its window is resized all the time. Then the
same of a network that prints its loss at each step and gives a picture after each epoch, with both of them shown.

    python -m benchmarks.interface [--quick] [--json FILE]

Each is a process of its own, screens in a real pseudo-terminal of 120x40, and trains 784-100-10 with SGD and batches of
64 on one thread. All of a network live at once and take turns of an epoch, while the others are stopped (SIGSTOP): what
is compared lies seconds apart, so that a machine whose speed changes by the minute does not count. Some processes are
lucky with where their memory lies, so all begin anew several times.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import cycle
from pathlib import Path

from benchmarks import talking
from benchmarks.harness import Took, in_turns, options, print_table, rows, write
from benchmarks.mnist import mnist_root
from core.runs.folder import all_runs
from tests.support.terminal import Terminal

HEADLESS, BESIDE, PRESSED, FOLLOWED = (
    "headless",
    "Live screen, training thread beside it",
    "Live screen, the same, keys and resizing",
    "Live screen, background process",
)
TURNS = 5
"""Of each process; there are as many processes of each kind as other parts have rounds."""
KEYS = "l+z-,l.+z-z."
"""Pressed one after the other; each changes what the charts or the tables show."""
SIZES = ((100, 32), (120, 40), (160, 48), (120, 40))
KEY_SECONDS = 0.2
KEYS_A_SIZE = 5
LOOK_SECONDS = 0.02
"""How often the log of a training without a screen is looked at."""
BUDGETS = {BESIDE: 1.03, PRESSED: 1.15, FOLLOWED: 1.00}
NETWORKS = {"": (), ", console and media open": ("--model", f"{Path(talking.__file__)}:Talking")}
"""What the names of each table end with, and what its network is."""
OPEN_KEYS = "it"
"""Open media and console."""


class Epochs:
    """The epochs that the only run in a folder has logged so far."""

    def __init__(self, runs: Path) -> None:
        self.seconds: list[float] = []
        self._runs, self._read, self._rest = runs, 0, b""

    def count(self) -> int:
        """Return the number of epochs done."""
        for run in all_runs(self._runs):
            if not run.log_file.is_file():  # its folder was made, its training has not begun
                continue
            with run.log_file.open("rb") as log:
                log.seek(self._read)
                new = log.read()
            self._read += len(new)
            *lines, self._rest = (self._rest + new).split(b"\n")
            events = [json.loads(line) for line in lines if b'"epoch_finished"' in line]
            self.seconds += [event["seconds"] for event in events]
        return len(self.seconds)


class Player:
    """Presses the next key, or resizes the window, whenever that is due."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.keys, self.sizes = cycle(KEYS), cycle(SIZES)
        self.pressed = 0
        self.due = 0.0

    def play(self) -> None:
        """Press a key if it is time."""
        if time.monotonic() >= self.due:
            self.due = time.monotonic() + KEY_SECONDS
            self.terminal.press(next(self.keys))
            self.pressed += 1
            if self.pressed % KEYS_A_SIZE == 0:
                self.terminal.resize(*next(self.sizes))


def settings(root: Path) -> list[str]:
    """The options that all are started with; they train until they are killed."""
    return [
        *("--data", "mnist", "--data-root", str(root), "--optimizer", "sgd"),
        *("--epochs", "100000", "--threads", "1", "--device", "cpu"),
    ]


@contextmanager
def without_screen(runs: Path, *options: str) -> Iterator[int]:
    """`tui train --no-ui`, its lines thrown away; the process's number."""
    command = [sys.executable, "-m", "tui", "train", "--no-ui", "--runs", str(runs), *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as training:
        try:
            yield training.pid
        finally:
            training.kill()


@contextmanager
def in_terminal(folder: Path, *arguments: str) -> Iterator[Terminal]:
    """`tui` with `arguments` in a pseudo-terminal, once it shows a run."""
    terminal = Terminal(["-m", "tui", *arguments], folder, 120, 40)
    try:
        terminal.wait_for("running")
        yield terminal
    finally:
        terminal.process.kill(signal.SIGKILL)
        terminal.end()


def open_panels(terminal: Terminal, epochs: Epochs) -> None:
    """Show console and media, once there are any."""
    looking(terminal)(epochs, 1)
    terminal.wait_for("media")  # its key is offered
    for key in OPEN_KEYS:
        terminal.press(key)
    terminal.wait_for(lambda text: " lines ─" in text and "▣ weights" in text)


def wait_for_epochs(epochs: Epochs, wanted: int) -> None:
    """Look at the log until it has so many."""
    while epochs.count() < wanted:
        time.sleep(LOOK_SECONDS)


def turns(
    name: str, processes: list[int], epochs: Epochs, wait: Callable[[Epochs, int], object]
) -> Callable[[], dict[str, Took]]:
    """Lets processes go on until an epoch has begun and ended while they did; they rest before and after it."""

    def send(number: signal.Signals) -> None:
        for process in processes:
            os.kill(process, number)

    def turn() -> dict[str, Took]:
        send(signal.SIGCONT)
        wait(epochs, epochs.count() + 2)  # the first of them was under way
        send(signal.SIGSTOP)
        return {name: Took(epochs.seconds[-1], epochs.seconds[-1])}

    wait(epochs, 1)
    send(signal.SIGSTOP)
    return turn


def looking(terminal: Terminal, player: Player | None = None) -> Callable[[Epochs, int], object]:
    """Waits for epochs while it reads a terminal, and plays with it."""

    def wait(epochs: Epochs, wanted: int) -> None:
        def are_there(_: str) -> bool:
            if player is not None:
                player.play()
            return epochs.count() >= wanted

        terminal.wait_for(are_there)

    return wait


@contextmanager
def contestants(root: Path, ending: str) -> Iterator[list[Callable[[], dict[str, Took]]]]:
    """All four of a table, each stopped after its first epoch.

    Args:
        ending: of their names; see `NETWORKS`.
    """
    given, opens = [*settings(root), *NETWORKS[ending]], bool(ending)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        alone = stack.enter_context(without_screen(folder / "alone", *given))
        made = [turns(HEADLESS + ending, [alone], Epochs(folder / "alone"), wait_for_epochs)]
        for kind in (BESIDE, PRESSED):
            place = folder / kind.replace(" ", "_")
            place.mkdir()
            screen = stack.enter_context(in_terminal(place, "train", *given))
            if opens:
                open_panels(screen, Epochs(place / "runs"))
            wait = looking(screen, Player(screen) if kind == PRESSED else None)
            made.append(turns(kind + ending, [screen.process.pid], Epochs(place / "runs"), wait))
        training = stack.enter_context(without_screen(folder / "runs", *given))
        wait_for_epochs(Epochs(folder / "runs"), 1)
        screen = stack.enter_context(in_terminal(folder, "watch", "latest"))
        if opens:
            open_panels(screen, Epochs(folder / "runs"))
        processes = [training, screen.process.pid]
        made.append(turns(FOLLOWED + ending, processes, Epochs(folder / "runs"), looking(screen)))
        yield made


def main() -> None:
    """Measure, print, and write the numbers if asked."""
    given = options(__doc__.splitlines()[0])
    table = []
    with mnist_root() as (root, data):
        for ending in NETWORKS:
            times: dict[str, list[Took]] = {}
            for _ in range(given.rounds):
                with contestants(root, ending) as made:
                    for name, taken in in_turns(made, TURNS).items():
                        times.setdefault(name, []).extend(taken)
            budgets = {kind + ending: budget for kind, budget in BUDGETS.items()}
            table += rows(times, HEADLESS + ending, budgets)
    title = f"one epoch of {data}, 784-100-10, 1 thread, {given.rounds} processes of each, {TURNS} turns"
    print_table(title, table)
    write(given.json, title, table, rounds=given.rounds, turns=TURNS)


if __name__ == "__main__":
    main()
