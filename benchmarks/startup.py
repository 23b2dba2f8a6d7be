"""From the command to the first thing seen: beside an empty Textual app and an empty Typer app.

And to the end of a small run, beside importing what it cannot do without; and to the first steps on MNIST, beside
importing torch.

python -m benchmarks.startup [--quick] [--json FILE]
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import psutil

from benchmarks.harness import Stopwatch, Took, in_turns, options, print_table, rows, write
from benchmarks.mnist import mnist_root
from tests.support.terminal import Terminal

EMPTY_APP = """
from textual.app import App
from textual.widgets import Static
class Empty(App):
    def compose(self):
        yield Static("nothing here")
Empty().run()
"""
EMPTY_COMMAND = """
import typer
app = typer.Typer()
@app.command()
def nothing(): ...
app()
"""
IMPORTS = """
import torch, torch.nn, torch.optim
import pydantic, sklearn.datasets, sklearn.metrics
"""
APP, COMMAND, RUN = "tui, first paint", "tui --help", "tui train --no-ui, digits, 1 epoch"
FIRST = "tui train --no-ui, MNIST, to the first step logged"
EMPTY = {
    APP: "empty Textual app",
    COMMAND: "empty Typer app --help",
    RUN: "import torch, scikit-learn and pydantic",
    FIRST: "import torch",
}
BUDGETS = {APP: 1.3, COMMAND: 1.3, RUN: 1.05, FIRST: 1.2}


def paint(name: str, arguments: list[str], seen: str, folder: Path) -> dict[str, Took]:
    """From the start of a process to the first text on its screen."""
    watch = Stopwatch()
    terminal = Terminal(arguments, folder, 120, 40)
    terminal.wait_for(seen)
    wall = watch.took().wall
    times = psutil.Process(terminal.process.pid).cpu_times()
    terminal.process.close(force=True)
    return {name: Took(wall, times.user + times.system)}


def whole(name: str, *arguments: str) -> dict[str, Took]:
    """From the start of a process to its end."""
    before, watch = psutil.Process().cpu_times(), Stopwatch()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    after = psutil.Process().cpu_times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return {name: Took(watch.took().wall, spent)}


def to_first_step(arguments: list[str]) -> dict[str, Took]:
    """From the start of a process that trains to the first step that it tells."""
    watch = Stopwatch()
    command = [sys.executable, *arguments, "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        if not any('"step_logged"' in line for line in process.stdout):
            raise RuntimeError(f"no step was logged by {' '.join(command)}")
        wall, times = watch.took().wall, psutil.Process(process.pid).cpu_times()
        process.kill()
    return {FIRST: Took(wall, times.user + times.system)}


def training(runs: Path, data: str, *options: str) -> list[str]:
    """The arguments of a small run."""
    usual = ["--epochs", "1", "--device", "cpu", "--threads", "1"]
    return ["-m", "tui", "train", "--no-ui", "--runs", str(runs), "--data", data, *usual, *options]


def main() -> None:
    """Measure, print, and write the numbers if asked."""
    given = options(__doc__.splitlines()[0])
    with tempfile.TemporaryDirectory() as name, mnist_root() as (root, _):
        folder = Path(name)
        app, command, runs = folder / "empty_app.py", folder / "empty_command.py", folder / "runs"
        app.write_text(EMPTY_APP)
        command.write_text(EMPTY_COMMAND)
        first = training(folder / "mnist", "mnist", "--data-root", str(root))
        pairs = {
            APP: (
                lambda: paint(EMPTY[APP], [str(app)], "nothing here", folder),
                lambda: paint(APP, ["-m", "tui"], "Configure", folder),
            ),
            COMMAND: (
                lambda: whole(EMPTY[COMMAND], str(command), "--help"),
                lambda: whole(COMMAND, "-m", "tui", "--help"),
            ),
            RUN: (
                lambda: whole(EMPTY[RUN], "-c", IMPORTS),
                lambda: whole(RUN, *training(runs, "digits")),
            ),
            FIRST: (
                lambda: whole(EMPTY[FIRST], "-c", "import torch"),
                lambda: to_first_step(first),
            ),
        }
        table = []
        for ours, (empty, full) in pairs.items():
            pair = rows(in_turns([empty, full], given.rounds), EMPTY[ours], BUDGETS)
            print_table(f"{ours}, {given.rounds} rounds", pair)
            table += pair
    write(given.json, "from the command to what is first seen", table, rounds=given.rounds)


if __name__ == "__main__":
    main()
