"""A disk that turns read-only, or a folder that is deleted, while a run trains: training ends as if it had not."""

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from core.control import RunControl
from core.events import CheckpointSaved, EpochFinished, Event, Notice, RunStarted
from core.runs.folder import all_runs
from core.runs.summary import summarise
from tests.support.fixtures import TrainRun
from tests.support.fork_server import Command

EPOCHS = 8
VALUES = {"data": {"name": "digits", "test": 0.8}, "model": "linear", "training": {"epochs": EPOCHS}}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


@contextmanager
def read_only(disk: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Context manager in which nothing below a folder can be changed, as on a disk that the kernel has remounted.

    Files that are open to be written keep it from being remounted by hand, so that it happens where files are written.
    """

    def refused(name: str) -> Callable[..., Any]:
        real = getattr(os, name)

        def call(place: Any, *rest: Any, **more: Any) -> Any:
            path = os.readlink(f"/proc/self/fd/{place}") if isinstance(place, int) else os.fspath(place)
            harmless = name == "open" and not rest[0] & WRITING
            if not harmless and str(path).startswith(str(disk)):
                raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))
            return real(place, *rest, **more)

        return call

    with monkeypatch.context() as patch:
        for name in ("open", "write", "mkdir", "rename", "replace", "unlink", "utime", "link", "fsync"):
            patch.setattr(os, name, refused(name))
        yield


@pytest.mark.slow
def test_a_disk_that_turns_read_only_ends_nothing(
    train_run: TrainRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = train_run(VALUES)
    weights = undisturbed.weights()
    shutil.rmtree(undisturbed.run.path)
    good: list[CheckpointSaved] = []
    fault = read_only(tmp_path / "runs", monkeypatch)

    def on_event(event: Event, control: RunControl) -> None:
        if isinstance(event, CheckpointSaved) and event.kind == "last" and not good:
            good.append(event)
            fault.__enter__()
        elif isinstance(event, EpochFinished):
            control.checkpoint()

    trained = train_run(VALUES, on_event=on_event)
    fault.__exit__(None, None, None)
    assert trained.finished.status == "completed"
    assert trained.told(EpochFinished)[-1].epoch == EPOCHS
    notices = "\n".join(event.message for event in trained.events if isinstance(event, Notice))
    reason = os.strerror(errno.EROFS)
    assert f"event log not written: cannot write {trained.run.log_file}: {reason}" in notices
    assert f"cannot write {trained.run.checkpoint_file('last')}: {reason}" in notices
    assert summarise(trained.run).status == "interrupted", "its end could not be written"

    resumed = train_run(run=trained.run)
    assert resumed.told(RunStarted)[0].step == good[0].step, "what was acknowledged is there"
    assert all(torch.equal(weight, resumed.weights()[name]) for name, weight in weights.items())


@pytest.mark.heavy
def test_a_command_whose_folder_is_deleted_trains_to_its_end(
    command: Callable[[str], Command], tmp_path: Path
) -> None:
    training = command("train --no-ui --data digits --epochs 300 --device cpu --threads 1 --json")
    for line in training.stdout:
        if '"epoch_finished"' in line:
            break
    (run,) = all_runs(tmp_path / "runs")
    while run.path.exists():  # what is written meanwhile is deleted with the next round
        shutil.rmtree(run.path, ignore_errors=True)
    output, errors = training.communicate()
    assert training.returncode == 0
    assert "Traceback" not in output + errors
    assert '"run_finished"' in output
    assert '"completed"' in output.splitlines()[-1]
    assert not run.path.exists()
