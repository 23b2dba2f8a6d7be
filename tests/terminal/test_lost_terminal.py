"""A terminal that goes away ends no training: the weights are those of a run that nobody disturbed."""

import fcntl
import signal
from pathlib import Path

import pytest
import torch

from core.config import schema as configuration
from core.control import RunControl
from core.events import EpochFinished
from core.runs.checkpoints import load_checkpoint
from core.runs.folder import Run, all_runs, find_run
from core.runs.log import LogReader
from core.runs.summary import summarise
from core.session import session
from tests.support.fixtures import OpenTerminal
from tests.support.made_once import made_once

pytestmark = pytest.mark.heavy

EPOCHS = 1500
OPTIONS = f"--epochs {EPOCHS} --threads 1 --device cpu --set data.test=0.8 --set model.dropout=0.1".split()


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The same run, trained to its end in this process."""
    values = {
        "data": {"test": 0.8},
        "model": {"dropout": 0.1},
        "training": {"epochs": EPOCHS, "threads": 1, "device": "cpu"},
    }

    def train(folder: Path) -> None:
        prepared = session.prepare(configuration.from_dict(values), None, lambda what, done, total: None)
        session.execute(
            prepared, session.new_run(prepared, folder), emit=lambda event: None, control=RunControl()
        )

    return find_run(made_once(tmp_path_factory, "undisturbed", train), "latest")


def only_run(folder: Path) -> Run:
    (run,) = all_runs(folder / "runs")
    return run


def assert_same(run: Run, undisturbed: Run) -> None:
    for kind in ("last", "best"):
        weights = load_checkpoint(run, kind)["model"]
        for name, weight in load_checkpoint(undisturbed, kind)["model"].items():
            assert torch.equal(weight, weights[name])
    assert summarise(run).evaluation == summarise(undisturbed).evaluation


def epochs_told(run: Run) -> set[int]:
    reader, told = LogReader(run.log_file), set()
    while events := reader.read():
        told |= {event.epoch for event in events if isinstance(event, EpochFinished)}
    return told


def test_the_app_hands_its_run_over_and_another_watches_it_end(
    terminal: OpenTerminal, tmp_path: Path, undisturbed: Run
) -> None:
    window = terminal("train", *OPTIONS)
    window.wait_for("running")
    window.process.kill(signal.SIGHUP)
    assert window.end() == 128 + signal.SIGHUP
    run = only_run(tmp_path)
    assert summarise(run).epoch < EPOCHS, "it goes on without its app"

    watching = terminal("watch", "latest")
    watching.wait_for("completed")
    watching.press("q")
    assert watching.end() == 0
    assert summarise(run).status == "completed"
    assert epochs_told(run) == set(range(1, EPOCHS + 1))
    assert_same(run, undisturbed)


def test_a_training_without_screens_outlives_its_terminal(
    terminal: OpenTerminal, tmp_path: Path, undisturbed: Run
) -> None:
    window = terminal("train", "--no-ui", *OPTIONS)
    window.wait_for("accuracy")
    run = only_run(tmp_path)
    with run.lock_file.open() as lock:
        window.process.ptyproc.fileobj.close()
        fcntl.flock(lock, fcntl.LOCK_SH)  # until nobody trains it any more
    assert summarise(run).status == "completed"
    assert_same(run, undisturbed)
