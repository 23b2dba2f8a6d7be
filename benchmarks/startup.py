"""From the command to the first thing seen: beside an empty Textual app and an empty Typer app.

And to the end of a small run, beside importing what it cannot do without.

python -m benchmarks.startup [--quick] [--json FILE]
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import psutil

from benchmarks.harness import Stopwatch, Took, in_turns, options, print_table, rows, write
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
EMPTY = {
    APP: "empty Textual app",
    COMMAND: "empty Typer app --help",
    RUN: "import torch, scikit-learn and pydantic",
}
BUDGETS = {APP: 1.3, COMMAND: 1.3, RUN: 1.05}


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


def training(runs: Path) -> list[str]:
    """The arguments of a small run."""
    options = ["--data", "digits", "--epochs", "1", "--device", "cpu", "--threads", "1"]
    return ["-m", "tui", "train", "--no-ui", "--runs", str(runs), *options]


def main() -> None:
    """Measure, print, and write the numbers if asked."""
    given = options(__doc__.splitlines()[0])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        app, command = folder / "empty_app.py", folder / "empty_command.py"
        app.write_text(EMPTY_APP)
        command.write_text(EMPTY_COMMAND)
        painted = in_turns(
            [
                lambda: paint(EMPTY[APP], [str(app)], "nothing here", folder),
                lambda: paint(APP, ["-m", "tui"], "Configure", folder),
            ],
            given.rounds,
        )
        asked = in_turns(
            [
                lambda: whole(EMPTY[COMMAND], str(command), "--help"),
                lambda: whole(COMMAND, "-m", "tui", "--help"),
            ],
            given.rounds,
        )
        trained = in_turns(
            [lambda: whole(EMPTY[RUN], "-c", IMPORTS), lambda: whole(RUN, *training(folder / "runs"))],
            given.rounds,
        )
    table = [
        *rows(painted, EMPTY[APP], BUDGETS),
        *rows(asked, EMPTY[COMMAND], BUDGETS),
        *rows(trained, EMPTY[RUN], BUDGETS),
    ]
    title = f"from the command to what is first seen, {given.rounds} rounds"
    print_table(title, table)
    write(given.json, title, table, rounds=given.rounds)


if __name__ == "__main__":
    main()
