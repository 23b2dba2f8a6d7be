"""Checkpoints that are damaged or missing: said so, and the run ends as if they had not been, bit for bit."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from core.config.schema import TrainConfig
from core.control import RunControl
from core.errors import RunDamaged, RunError
from core.events import CheckpointSaved, Notice, RunStarted
from core.runs.checkpoints import FolderCheckpoints, load_checkpoint, load_latest
from core.runs.creating import create_run
from core.runs.folder import Run
from core.runs.summary import summarise
from tests.support.narrow import some

Train = Callable[..., Any]
VALUES = {
    "data": {"name": "digits", "test": 0.6, "validation": 0.2},
    "model": {"name": "mlp", "hidden": [16], "dropout": 0.2},
    "optimizer": "adam",
    "training": {"epochs": 4, "batch_size": 32},
}
STEPS = 18
"""Of an epoch."""


def stop(control: RunControl, model: Any) -> None:
    control.stop()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def flip_a_bit(path: Path) -> None:
    """Flip a bit in the middle of a tensor, which only a checksum notices."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 16
    path.write_bytes(content)


def put_another_there(path: Path) -> None:
    torch.save({"model": {}, "progress": {}}, path)


def remove(path: Path) -> None:
    path.unlink()


def put_a_pipe_there(path: Path) -> None:
    """Who reads it would wait for ever."""
    path.unlink()
    os.mkfifo(path)


DAMAGES = [cut, empty, flip_a_bit, put_another_there, put_a_pipe_there, remove]


@pytest.fixture
def stopped(train_run: Train) -> Any:
    """A run that was stopped in its second and in its fourth epoch: both checkpoints are there."""
    first = train_run(VALUES, at_step=(STEPS + 5, stop))
    return train_run(run=first.run, at_step=(2 * STEPS, stop))


def assert_ended_alike(one: Any, other: Any) -> None:
    for kind in ("last", "best"):
        for name, weight in one.weights(kind).items():
            assert torch.equal(weight, other.weights(kind)[name])
    assert one.checkpoint("best")["epoch"] == other.checkpoint("best")["epoch"]
    states = [trained.checkpoint()["optimizer"]["state"] for trained in (one, other)]
    for number, state in states[0].items():
        assert all(torch.equal(tensor, states[1][number][key]) for key, tensor in state.items())
    assert summarise(one.run).evaluation == summarise(other.run).evaluation
    assert summarise(one.run).best_epoch == summarise(other.run).best_epoch


def warnings(trained: Any) -> list[str]:
    return [notice.message for notice in trained.told(Notice) if notice.level == "warning"]


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_gives_way_to_the_one_before(
    stopped: Any, train_run: Train, damage: Callable[[Path], None]
) -> None:
    damage(stopped.run.checkpoint_file("last"))
    resumed = train_run(run=stopped.run)

    assert resumed.told(RunStarted)[0].step == STEPS + 5
    (warning,) = warnings(resumed)
    assert "last.pt" in warning
    assert warning.endswith(f"resuming from the previous checkpoint, epoch 1, step {STEPS + 5}")
    assert resumed.finished.status == "completed"
    assert_ended_alike(train_run(VALUES), resumed)


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_best_epoch_is_written_again(
    stopped: Any, train_run: Train, damage: Callable[[Path], None]
) -> None:
    path = stopped.run.checkpoint_file("best")
    damage(path)
    resumed = train_run(run=stopped.run, at_step=(1, stop))
    if damage is not put_another_there:  # that one is whole, yet not ours
        assert f"{path} could not be read" in warnings(resumed)[0]
    assert resumed.checkpoint("best")["epoch"] == resumed.checkpoint("last")["progress"]["best_epoch"]
    path.unlink()
    assert_ended_alike(train_run(VALUES), train_run(run=stopped.run))


def test_when_both_are_damaged_both_are_named(stopped: Any, train_run: Train) -> None:
    cut(stopped.run.checkpoint_file("last"))
    empty(stopped.run.checkpoint_file("previous"))
    with pytest.raises(RunDamaged, match=r"last\.pt cannot be read: .* and .*previous\.pt cannot be read: "):
        train_run(run=stopped.run)
    assert summarise(stopped.run).status == "stopped", "nothing is written by an attempt that cannot begin"


@pytest.mark.slow
def test_a_run_whose_checkpoints_are_gone_says_that_it_starts_over(stopped: Any, train_run: Train) -> None:
    for kind in ("last", "previous"):
        stopped.run.checkpoint_file(kind).unlink()
    anew = train_run(run=stopped.run)
    assert anew.told(RunStarted)[0].step == 0
    assert "it starts over" in anew.told(Notice)[0].message
    assert_ended_alike(train_run(VALUES), anew)


@pytest.mark.slow
def test_a_checkpoint_of_another_network_is_told(stopped: Any, train_run: Train) -> None:
    other = train_run({**VALUES, "model": {"name": "mlp", "hidden": [17]}}, at_step=(2, stop))
    stopped.run.checkpoint_file("last").write_bytes(other.run.checkpoint_file("last").read_bytes())
    resumed = train_run(run=stopped.run)
    assert resumed.finished.status == "failed"
    assert "the checkpoint does not fit the configuration" in resumed.finished.error
    assert resumed.finished.traceback == ""


# -- one file after the other ----------------------------------------------------------------------------------


def state(number: int, best: float | None = None) -> dict[str, Any]:
    """A state that one can tell from others."""
    parts = {"model": {"w": torch.full((8,), float(number))}, "optimizer": {}, "rng": {}, "best": None}
    return {
        **parts,
        "progress": {"epoch": number, "step": number},
        **({} if best is None else {"value": best}),
    }


def kept(run: Run, kind: str) -> float:
    return float(load_checkpoint(run, kind)["model"]["w"][0])


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return create_run(tmp_path, TrainConfig())


def test_the_one_before_is_kept(run: Run) -> None:
    checkpoints = FolderCheckpoints(run)
    for number in range(4):
        checkpoints.save(state(number), "last")
    assert (kept(run, "last"), kept(run, "previous")) == (3, 2)
    assert sorted(path.name for path in run.path.glob("checkpoints/*")) == ["last.pt", "previous.pt"]
    assert some(some(load_latest(run))[0])["progress"]["epoch"] == 3


def test_a_disk_without_hard_links_keeps_it_too(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    checkpoints = FolderCheckpoints(run)
    for number in range(3):
        checkpoints.save(state(number), "last")
    assert (kept(run, "last"), kept(run, "previous")) == (2, 1)


def test_a_damaged_one_does_not_take_the_place_of_a_good_one(run: Run) -> None:
    before = FolderCheckpoints(run)
    before.save(state(1), "last")
    before.save(state(2), "last")
    flip_a_bit(run.checkpoint_file("last"))
    FolderCheckpoints(run).save(state(3), "last")
    assert (kept(run, "last"), kept(run, "previous")) == (3, 1)


def test_a_better_epoch_of_an_earlier_session_is_not_overwritten(run: Run) -> None:
    FolderCheckpoints(run).save(state(10, best=0.2), "best")
    later = FolderCheckpoints(run)
    later.save(state(6, best=0.3), "best")
    assert kept(run, "best") == 10
    later.save(state(12, best=0.1), "best")
    assert kept(run, "best") == 12
    later.save(state(13, best=0.1), "best")
    assert kept(run, "best") == 12


def test_what_a_killed_process_left_half_written_is_removed(run: Run) -> None:
    FolderCheckpoints(run).save(state(1), "last")
    leftover = run.checkpoint_file("last").with_name(".last.pt.x7.tmp")
    leftover.write_bytes(b"half")
    FolderCheckpoints(run)
    assert not leftover.exists()
    assert kept(run, "last") == 1


def test_a_folder_that_is_gone_is_not_made_again(run: Run) -> None:
    checkpoints = FolderCheckpoints(run)
    run.path.rename(run.path.with_name("elsewhere"))
    with pytest.raises(RunError, match=f"cannot write {run.path}: it is no longer a folder"):
        checkpoints.save(state(1), "last")
    assert not run.path.exists()


def test_only_what_is_told_is_saved(stopped: Any) -> None:
    """The events say what is on disk."""
    last = stopped.told(CheckpointSaved)[-1]
    progress = stopped.checkpoint()["progress"]
    assert (last.kind, last.epoch, last.step) == ("last", progress["epoch"], progress["step"])
