"""Runs that read their data while they train: resumed, killed, stopped, larger than memory, by several processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch

from core.control import RunControl
from core.events import Notice
from core.runs.checkpoints import load_checkpoint
from core.runs.folder import Run
from core.session.evaluation import evaluate_run
from core.user_code.trust import trust
from tests.core.session.test_resume import assert_ended_alike
from tests.support import streamed_data
from tests.support.fork_server import Command
from tests.support.repository import REPOSITORY

Train = Callable[..., Any]
FILE = Path(str(streamed_data.__file__))
COMMAND = [
    sys.executable,
    "-m",
    "torchtui",
    "train",
    "--no-ui",
    "--device",
    "cpu",
    "--threads",
    "1",
    "--model",
    "mlp",
]
SECONDS = 300


@pytest.fixture(autouse=True)
def trusted() -> None:
    trust(FILE)


def stop(control: RunControl, model: object) -> None:
    control.stop()


def run_of(name: str, **data: Any) -> dict[str, Any]:
    return {
        "data": {"name": f"{FILE}:{name}", **data},
        "model": {"name": "mlp", "hidden": [8], "dropout": 0.2},
        "training": {"epochs": 3, "batch_size": 8},
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", ["augmented", "noisy_stream"])
def test_a_streamed_run_stopped_within_an_epoch_ends_as_if_it_had_not_been(
    name: str, train_run: Train
) -> None:
    values = run_of(name, workers=0)
    undisturbed = train_run(values)
    first = train_run(values, at_step=(9, stop))
    second = train_run(run=first.run)
    assert_ended_alike(undisturbed, [first, second])
    assert any("is streamed" in event.message for event in undisturbed.told(Notice))


@pytest.mark.slow
def test_a_streamed_run_of_masks_is_resumed_exactly_and_evaluated(train_run: Train) -> None:
    values = run_of("turned_masks", workers=0) | {"model": {"name": "unet", "depth": 1, "width": 2}}
    undisturbed = train_run(values)
    first = train_run(values, at_step=(9, stop))
    second = train_run(run=first.run)
    assert_ended_alike(undisturbed, [first, second])
    evaluation = evaluate_run(second.run, "test")
    assert set(evaluation.report.metrics) >= {"mean_iou", "pixel_accuracy"}
    assert evaluation.predictions.targets.dtype == np.uint8


def test_streamed_and_resident_runs_have_the_same_weights(train_run: Train) -> None:
    resident, streamed = (train_run(run_of("plain", feed=feed)) for feed in ("resident", "stream"))
    for name, weight in resident.weights("last").items():
        assert torch.equal(weight, streamed.weights("last")[name])


def start(folder: Path, name: str, *more: str) -> "subprocess.Popen[bytes]":
    """Start the training of a streamed set in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
    command = [*COMMAND, "--data", f"{FILE}:{name}", "--runs", str(folder), *more]
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def until(condition: Callable[[], Any]) -> Any:
    """Return what becomes true."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.01)
    raise AssertionError("it never came to that")


def checkpoint_in(folder: Path) -> Run | None:
    found = [*folder.glob("*/checkpoints/last.pt")]
    return Run(found[0].parent.parent) if found else None


def weights_of(run: Run) -> dict[str, torch.Tensor]:
    weights: dict[str, torch.Tensor] = load_checkpoint(run, "last")["model"]
    return weights


@pytest.mark.heavy
@pytest.mark.parametrize(("feed", "epochs"), [("stream", 3), ("resident", 200)])
def test_a_killed_run_of_weighted_samples_leaves_no_workers_and_resumes_to_the_same_weights(
    feed: str, epochs: int, tmp_path: Path, command: Callable[[str], Command]
) -> None:
    line = (
        f"train --no-ui --device cpu --threads 1 --model mlp --data {FILE}:counting_slowly --epochs {epochs}"
    )
    line += f" --set training.checkpoint_minutes=0.001 --set data.feed={feed}"
    line += " --set data.workers=2 --set data.weight=count --runs"
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    undisturbed, victim = command(f"{line} whole"), command(f"{line} killed")
    run = until(lambda: checkpoint_in(killed))
    of_victim = psutil.Process(victim.pid)
    workers = until(lambda: of_victim.children(recursive=True)) if feed == "stream" else []
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    until(lambda: not any(worker.is_running() for worker in workers))
    assert load_checkpoint(run, "last")["progress"]["epoch"] < epochs
    resumed = command(f"train --no-ui --resume {run.path} --runs killed")
    _, errors = resumed.communicate()
    assert resumed.returncode == 0, errors
    assert undisturbed.wait() == 0
    other = weights_of(until(lambda: checkpoint_in(whole)))
    for name, weight in weights_of(run).items():
        assert torch.equal(weight, other[name])


def two_children(pid: int) -> list[psutil.Process]:
    found = psutil.Process(pid).children(recursive=True)
    return found if len(found) > 1 else []


def interrupted(process: "subprocess.Popen[bytes]") -> bool:
    """Press Ctrl-C and return whether it ended: Python discards one that comes in the callbacks of a fork."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(2)
    except subprocess.TimeoutExpired:
        return False
    return True


@pytest.mark.heavy
def test_ctrl_c_ends_a_run_whose_worker_hangs(tmp_path: Path) -> None:
    settings = ("data.workers=2", "data.feed=stream", f"data.worker_timeout={10 * SECONDS}")
    process = start(tmp_path, "hanging", *(word for setting in settings for word in ("--set", setting)))
    workers = until(lambda: two_children(process.pid))
    until(lambda: interrupted(process))
    until(lambda: not any(worker.is_running() for worker in workers))


def peak_bytes(folder: Path, name: str) -> int:
    """Train and evaluate in a process of its own; return the most memory that it took."""
    settings = ("data.feed=stream", "data.workers=0", "model.hidden=[4]", "training.epochs=1")
    process = start(folder, name, *(word for setting in settings for word in ("--set", setting)))
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss * 1024


@pytest.mark.heavy
def test_a_test_set_that_is_read_batch_by_batch_takes_no_more_memory_when_it_is_large(tmp_path: Path) -> None:
    """200 more samples are 240 MB more."""
    for name in ("few", "many"):
        (tmp_path / name).mkdir()
    few, many = (peak_bytes(tmp_path / name, f"{name}_wide") for name in ("few", "many"))
    assert many < few + 120_000_000
