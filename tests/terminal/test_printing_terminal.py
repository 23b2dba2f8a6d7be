"""Prints of own code, its workers, and signals, while the app owns a real terminal."""

import signal
from pathlib import Path

import pytest

from core.runs.folder import Run, all_runs
from core.runs.summary import summarise
from tests.support.fixtures import OpenTerminal

pytestmark = pytest.mark.heavy

LOUD = """
import ctypes, multiprocessing, os, subprocess, sys
import numpy as np
import torch

class Net(torch.nn.Module):
    def __init__(self, in_features: int, num_classes: int):
        super().__init__()
        self.layer = torch.nn.Linear(in_features, num_classes)

    def forward(self, x):
        if self.training:
            print("\\x1b[2J\\x1b[HPRINTED", file=sys.stderr)
            ctypes.CDLL(None).printf(b"LIBRARY\\n")
        return self.layer(x)

def square(number):
    os.write(1, b"WORKER\\n")
    return number ** 2

def make():
    subprocess.run(["echo", "PROCESS"], check=True)
    for done in range(1000):
        print(f"\\rBAR {done}", end="")
    print()
    with multiprocessing.get_context("fork").Pool(2) as pool:
        print("FORKED", sum(pool.map(square, range(4))))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print("SPAWNED", sum(pool.map(abs, range(4))))
    loader = torch.utils.data.DataLoader(range(8), batch_size=4, num_workers=1)
    print("LOADED", len(list(loader)))
    return np.eye(40, 4, dtype="float32"), np.arange(40) % 2
"""
SAID = {"PRINTED", "LIBRARY", "PROCESS", "BAR 999", "WORKER", "FORKED 14", "SPAWNED 6", "LOADED 2"}
OPTIONS = [
    "--data",
    "loud.py:make",
    "--model",
    "loud.py:Net",
    "--device",
    "cpu",
    "--threads",
    "1",
    "--epochs",
    "1000000",
]


def only_run(folder: Path) -> Run:
    (run,) = all_runs(folder / "runs")
    return run


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGTERM, "stopped"), (signal.SIGUSR1, "stopped"), (signal.SIGHUP, "running")],
)
def test_a_signal_gives_the_terminal_back_and_saves_or_hands_over(
    terminal: OpenTerminal, tmp_path: Path, number: signal.Signals, status: str
) -> None:
    (tmp_path / "loud.py").write_text(LOUD)
    window = terminal("train", *OPTIONS)
    window.wait_for(lambda text: "running" in text and "t console" in text)
    window.press("t")
    shown = window.wait_for("LIBRARY")
    assert "3 Live" in shown, "nothing is drawn over the screen"
    window.process.kill(number)
    assert window.end() == 128 + number
    assert window.is_clean()
    run = only_run(tmp_path)
    words = "saved; resume with" if status == "stopped" else f"{run.id[16:]} continues in the background"
    assert words in " ".join(window.text.split())
    assert set(run.console_file.read_text().splitlines()) >= SAID
    if status == "stopped":
        assert summarise(run).status == "stopped"
    else:  # the process that goes on with it may not have begun yet
        watching = terminal("watch", "latest")
        watching.wait_for("running")
        watching.press("s")
        watching.wait_for("Save this run and stop it?")
        watching.press("\x1b[D", "\r")
        watching.wait_for("stopped")
        watching.press("q")
        assert watching.end() == 0


def test_an_app_without_a_run_gives_the_terminal_back_too(terminal: OpenTerminal) -> None:
    window = terminal()
    window.wait_for("dataset")
    window.process.kill(signal.SIGTERM)
    assert window.end() == 128 + signal.SIGTERM
    assert window.is_clean()
