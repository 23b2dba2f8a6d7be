"""Several processes train one run as one process would; one that dies ends it with a sentence."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from core import config as configuration
from core.control import RunControl
from core.distributed import Group, SharedControl
from core.errors import ConfigError, DeviceError
from core.events import EpochFinished
from core.runs.checkpoints import load_checkpoint
from core.runs.folder import Run
from core.runs.log import LogReader

REPOSITORY = Path(__file__).parent.parent.parent
NEW = ["--device", "cpu", "--threads", "1"]
DEMANDING = {
    "data": "digits",
    "optimizer": {"name": "adam", "lr": 0.01},
    "loss": {"name": "cross_entropy", "class_weights": "balanced"},
    "training": {"batch_size": 32, "accumulate": 2, "clip_norm": 1.0, "ema": 0.9, "epochs": 2},
}
"""1,293 training samples: the last step of an epoch has 13, in one part; two processes get 7 and 6."""

Launch = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """Starts torchrun with the options of ``tui``; what still runs at the end is killed, with its children."""
    started: list[subprocess.Popen[str]] = []

    def launch(*options: str, nodes: tuple[str, ...] = ("--standalone", "--nproc-per-node", "2")) -> Any:
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
        own = [] if "--resume" in options else NEW
        train = ["-m", "tui", "train", "--no-ui", *own, *options]
        command = [sys.executable, "-m", "torch.distributed.run", *nodes, *train]
        process = subprocess.Popen(
            command,
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield launch
    for process in started:
        if process.poll() is None:
            for child in psutil.Process(process.pid).children(recursive=True):
                child.kill()
            process.kill()
        process.communicate()


def epochs_of(run: Run) -> list[EpochFinished]:
    return [event for event in LogReader(run.log_file).read() if isinstance(event, EpochFinished)]


def assert_alike(one: Run, other: Run) -> None:
    """Weights, running means and what was told of each epoch agree, but for the order of sums."""
    ours, theirs = (load_checkpoint(run, "last") for run in (one, other))
    for part in ("model", "ema"):
        assert set(ours[part]) == set(theirs[part])
        assert all(torch.allclose(value, theirs[part][key], atol=1e-5) for key, value in ours[part].items())
    for mine, its in zip(epochs_of(one), epochs_of(other), strict=True):
        assert mine.train == pytest.approx(its.train, abs=1e-5)
        assert mine.validation == pytest.approx(its.validation, abs=1e-5)
        assert (mine.confusion, mine.step, mine.best_epoch) == (its.confusion, its.step, its.best_epoch)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_batches_that_cannot_be_divided_are_refused() -> None:
    def fits(processes: int, samples: int, **training: Any) -> None:
        Group(0, processes).ensure_fits(configuration.from_dict({"training": training}), samples)

    fits(4, 1293, batch_size=64)
    with pytest.raises(ConfigError, match=r"63 samples cannot be divided among 2 processes.*such as 64"):
        fits(2, 1293, batch_size=63)
    with pytest.raises(ConfigError, match="the last batch of an epoch has 1 samples for 2 processes"):
        fits(2, 65, batch_size=64)
    fits(1, 65, batch_size=63)
    config = configuration.from_dict({"optimizer": "lbfgs"})
    with pytest.raises(ConfigError, match="lbfgs does not train in several processes"):
        Group(0, 2).ensure_fits(config, 1293)


def test_shares_are_the_whole_batch() -> None:
    rows = torch.arange(13)
    shares = [Group(rank, 3).share(rows) for rank in range(3)]
    assert sorted(torch.cat(shares).tolist()) == rows.tolist()
    assert [len(share) for share in shares] == [5, 4, 4]


def test_more_processes_than_gpus_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(DeviceError, match="1 GPUs and more processes"):
        Group(1, 2, local_rank=1).device(torch.device("cuda", 0))


def test_what_one_process_is_asked_for_reaches_it_at_a_meeting_only() -> None:
    own = RunControl()
    shared = SharedControl(own, Group())
    own.stop()
    own.checkpoint()
    assert not shared.attention
    assert shared.meet(3.0) == [3.0]
    assert shared.stop_requested
    assert shared.take_checkpoint_request()
    assert not own.take_checkpoint_request()
