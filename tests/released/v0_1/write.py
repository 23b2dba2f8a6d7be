"""Write the runs, the study and the files beside this script, by the code of a released version:

    rm -rf runs wine.yaml && PYTHONPATH=CHECKOUT python write.py

What is there was written by version 0.1.0 (commit 28d4c7e). It is never written again by newer code: it stands for
what users have on their disks. A later version adds a folder of its own.
"""

import io
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from core import RunWriter
from tui.cli import main

HERE = Path(__file__).parent
SMALL = "--set model.hidden=[4] --batch-size 32 --lr 0.05 --threads 1 --device cpu"
OWN = "--model net.py:Net --set model.arguments.width=4 --lr 0.05 --threads 1 --device cpu"

NETWORK = '''"""A network of a user's own."""

from torch import Tensor, nn

from layers import hidden


class Net(nn.Module):
    def __init__(self, in_features: int, num_classes: int, width: int = 8) -> None:
        super().__init__()
        self.layers = nn.Sequential(hidden(in_features, width), nn.Linear(width, num_classes))

    def forward(self, inputs: Tensor) -> Tensor:
        return self.layers(inputs)
'''
LAYERS = '''"""A module beside it."""

from torch import nn


def hidden(inputs: int, width: int) -> nn.Module:
    return nn.Sequential(nn.Linear(inputs, width), nn.Tanh())
'''


class StopAfterFirstEpoch(io.StringIO):
    """Output that answers the first epoch's event with Ctrl-C."""

    def write(self, text: str) -> int:
        if '"epoch_finished"' in text and not self.getvalue().count("epoch_finished"):
            os.kill(os.getpid(), signal.SIGINT)
        return super().write(text)


def tui(line: str) -> None:
    """Call the command line in this process."""
    sys.argv = ["tui", *line.split()]
    try:
        main()
    except SystemExit as exit:
        print(line.split()[0], "exit code", exit.code, file=sys.stderr)


def write_all() -> None:
    """Write everything into the current folder."""
    captured("wine.yaml", lambda: tui("config --data wine --model mlp --optimizer adam --epochs 2"))
    tui(f"train --no-ui --no-system --data iris {SMALL} --epochs 2")
    sys.stdout, terminal = StopAfterFirstEpoch(), sys.stdout
    tui(f"train --no-ui --no-system --data wine {SMALL} --epochs 3 --json")
    sys.stdout = terminal
    Path("net.py").write_text(NETWORK)
    Path("layers.py").write_text(LAYERS)
    tui(f"train --no-ui --no-system --data iris {OWN} --epochs 2")
    with RunWriter("script", {"width": 12}) as run:
        for epoch in range(2):
            run.epoch(train={"loss": 1.0 / (1 + epoch)}, validation={"loss": 1.5 / (1 + epoch)})
    tui(f"tune --no-ui --data iris {SMALL} --epochs 1 --method grid -p lr=0.01,0.1,1 --trials 2 --keep 1")


def captured(name: str, call: Callable[[], None]) -> None:
    """Write what a call prints to a file."""
    sys.stdout, terminal = io.StringIO(), sys.stdout
    call()
    printed, sys.stdout = sys.stdout.getvalue(), terminal
    Path(name).write_text(printed)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="torchtui-") as folder:
        os.chdir(folder)
        os.environ["TUI_CONFIG"] = str(Path("settings/settings.json").absolute())
        write_all()
        for name in ("runs", "wine.yaml"):
            shutil.move(name, HERE / name)
