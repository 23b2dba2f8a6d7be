"""Several processes train one run as one process would; one that dies ends it with a sentence."""

import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from torch import nn

from core.config import schema as configuration
from core.control import RunControl
from core.data.dataset import Dataset
from core.errors import ConfigError, DataError, DeviceError, RunDamaged
from core.events import EpochFinished, Event, LayersSampled, Notice, RunStarted
from core.models.registry import build
from core.runs.checkpoints import load_checkpoint
from core.runs.folder import Run, find_run
from core.runs.log import all_events
from core.runs.summary import summarise
from core.training.context import TrainingContext
from core.training.distributed import Group, SharedControl, SyncPoints
from core.training.engine import train
from core.training.validation import validate
from tests.support.narrow import some
from tests.support.repository import REPOSITORY

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
    """Starts torchrun, or our own launcher without `nodes`; what still runs at the end is killed, with its children."""
    started: list[subprocess.Popen[str]] = []

    def launch(*options: str, nodes: tuple[str, ...] = ("--standalone", "--nproc-per-node", "2")) -> Any:
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
        own = [] if "--resume" in options else NEW
        train = ["-m", "tui", "train", "--no-ui", *own, *options]
        launcher = ["-m", "torch.distributed.run", *nodes] if nodes else []
        command = [sys.executable, *launcher, *train]
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
    return [event for event in all_events(run.log_file) if isinstance(event, EpochFinished)]


def assert_alike(one: Run, other: Run) -> None:
    """Weights, running means and reported metrics of each epoch agree, except for the order of sums."""
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


@pytest.mark.heavy
def test_two_nodes_train_as_one_process_which_can_go_on_alone(
    launch: Launch, tmp_path: Path, train_run: Callable[..., Any]
) -> None:
    (tmp_path / "run.yaml").write_text(json.dumps(DEMANDING))
    where = ("--nnodes", "2", "--nproc-per-node", "1", "--master-addr", "127.0.0.1", "--master-port")
    port = str(free_port())
    nodes = [
        launch("--config", "run.yaml", "--runs", "several", nodes=(*where, port, "--node-rank", str(number)))
        for number in (0, 1)
    ]
    outputs = [node.communicate() for node in nodes]
    assert [node.returncode for node in nodes] == [0, 0], outputs
    assert "epoch 2/2" in outputs[0][0]
    assert "epoch" not in outputs[1][0]
    several = find_run(tmp_path / "several", "latest")
    assert len(list((tmp_path / "several").iterdir())) == 1
    assert (several.evaluation_folder("test") / "report.json").is_file()

    alone = train_run(DEMANDING)
    assert_alike(several, alone.run)
    more = {"training": {"epochs": 3}}
    train_run(more, run=several)
    train_run(more, run=alone.run)
    assert_alike(several, alone.run)


RANDOM_NETWORK = """
import torch
from torch import nn


class Noisy(nn.Module):
    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__()
        self.layer = nn.Linear(in_features, num_classes)

    def forward(self, x):
        return self.layer(nn.functional.dropout(x.flatten(1), 0.5, training=True))
"""


@pytest.mark.heavy
def test_every_process_draws_the_same_random_numbers_after_a_resume(launch: Launch, tmp_path: Path) -> None:
    """The network drops inputs in training and in validation; all ranks take part in both."""
    file = tmp_path / "noisy.py"
    file.write_text(RANDOM_NETWORK)
    values = {"data": "digits", "model": {"name": "python", "path": f"{file}:Noisy"}}
    (tmp_path / "run.yaml").write_text(json.dumps({**values, "training": {"batch_size": 64, "epochs": 2}}))
    for name, epochs in (("whole", 2), ("parts", 1)):
        process = launch(
            "--config", "run.yaml", "--runs", name, "--trust-code", "--set", f"training.epochs={epochs}"
        )
        _, told = process.communicate()
        assert process.returncode == 0, told
    parts = find_run(tmp_path / "parts", "latest")
    process = launch("--resume", str(parts.path), "--trust-code", "--set", "training.epochs=2")
    _, told = process.communicate()
    assert process.returncode == 0, told
    whole = find_run(tmp_path / "whole", "latest")
    ours, theirs = (load_checkpoint(run, "last")["model"] for run in (whole, parts))
    assert all(torch.equal(value, theirs[key]) for key, value in ours.items())
    for mine, its in zip(epochs_of(whole), epochs_of(parts), strict=True):
        assert (mine.train, mine.validation) == (its.train, its.validation)


def test_what_a_rank_draws_follows_from_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    def draw(rank: int, step: int, validating: bool = False) -> float:
        Group(rank, 3).seed_rank(7, step, validating=validating)
        return float(torch.rand(()))

    drawn = [
        draw(rank, step, validating) for rank in (1, 2) for step in (0, 1, 2) for validating in (False, True)
    ]
    assert len(set(drawn)) == len(drawn)
    torch.rand(100)
    assert draw(1, 2, True) == drawn[5]


@pytest.mark.heavy
def test_a_run_goes_on_with_more_processes_from_the_middle_of_an_epoch(
    launch: Launch, tmp_path: Path, train_run: Callable[..., Any]
) -> None:
    """With three, among which batches of 16 do not divide evenly."""
    values = {"data": "diabetes", "model": "mlp", "training": {"batch_size": 16, "epochs": 3, "ema": 0.5}}
    alone = train_run(values)
    begun = train_run(values, at_step=(25, lambda control, model: control.stop()))
    assert load_checkpoint(begun.run, "last")["progress"]["batch"] > 0
    process = launch("--resume", str(begun.run.path), "--processes", "3", nodes=())
    output = process.communicate()
    assert process.returncode == 0, output
    assert_alike(begun.run, alone.run)


def kill(launcher: "subprocess.Popen[str]", rank: int) -> None:
    """Kill one of the processes that a launcher, or torchrun, has started."""
    for child in psutil.Process(launcher.pid).children():
        if child.environ().get("RANK") == str(rank):
            child.kill()


def wait_for(name: str, process: "subprocess.Popen[str]") -> None:
    """Read events of a run up to one of a name."""
    assert any(json.loads(line)["event"] == name for line in some(process.stdout))


@pytest.mark.heavy
def test_a_run_resumes_after_one_of_its_processes_was_killed_and_ends_as_if_none_was(
    launch: Launch, tmp_path: Path, train_run: Callable[..., Any]
) -> None:
    """First another one, then the one that writes; each time after a checkpoint."""
    settings = {"batch_size": 50, "epochs": 800}
    values = {
        "data": "iris",
        "model": "linear",
        "optimizer": {"name": "adam", "lr": 0.001},
        "training": settings,
    }
    (tmp_path / "run.yaml").write_text(json.dumps(values))
    process = launch(
        "--config", "run.yaml", "--runs", "several", "--json", "--processes", "2", "--restarts", "2", nodes=()
    )
    for rank in (1, 0):
        wait_for("checkpoint_saved", process)
        kill(process, rank)
        wait_for("run_started", process)
    _, told = process.communicate()
    assert process.returncode == 0, told
    lost = "the process of rank {} was killed by SIGKILL: restart {} of 2, from the last checkpoint"
    assert [line for line in told.splitlines() if "restart" in line] == [lost.format(1, 1), lost.format(0, 2)]
    (run,) = (find_run(tmp_path / "several", path.name) for path in (tmp_path / "several").iterdir())
    events = [event.message for event in all_events(run.log_file) if isinstance(event, Notice)]
    assert [text for text in events if "lost" in text] == [
        f"a process was lost: restart {number} of 2" for number in (1, 2)
    ]
    ours, theirs = (load_checkpoint(each, "last") for each in (run, train_run(values).run))
    assert ours["progress"]["step"] == theirs["progress"]["step"]
    assert all(torch.allclose(value, theirs["model"][key], atol=1e-4) for key, value in ours["model"].items())


@pytest.mark.heavy
def test_torchrun_resumes_a_run_and_when_its_restarts_are_used_the_run_fails_with_a_sentence(
    launch: Launch, tmp_path: Path
) -> None:
    nodes = ("--standalone", "--nproc-per-node", "2", "--max-restarts", "1")
    process = launch("--data", "iris", "--model", "mlp", "--epochs", "1000000", "--json", nodes=nodes)
    for again in (False, True):
        wait_for("run_started", process)
        wait_for("epoch_finished", process)
        kill(process, 1)
        assert again or process.poll() is None
    _, err = process.communicate()
    assert process.returncode == 1
    assert "one of the 2 processes of this run has died" in err
    (path,) = (tmp_path / "runs").iterdir()
    summary = summarise(find_run(tmp_path / "runs", path.name))
    assert summary.status in ("failed", "stopped")  # torchrun asks the others to end at the same time


@pytest.mark.heavy
def test_the_agents_of_two_nodes_resume_the_run_though_they_count_restarts_differently(
    launch: Launch, tmp_path: Path, train_run: Callable[..., Any]
) -> None:
    """The rendezvous has no name; the process that is killed is the one that writes."""
    values = {"data": "iris", "model": "linear", "training": {"batch_size": 50, "epochs": 300}}
    (tmp_path / "run.yaml").write_text(json.dumps(values))
    where = ("--nnodes", "2", "--nproc-per-node", "1", "--max-restarts", "2")
    meeting = ("--rdzv-backend", "c10d", "--rdzv-endpoint", f"127.0.0.1:{free_port()}")
    agents = [launch("--config", "run.yaml", nodes=(*where, *meeting)) for _ in range(2)]
    while not list(tmp_path.glob("runs/*/checkpoints/last.pt")):
        assert [agent.poll() for agent in agents] == [None, None]
        time.sleep(0.05)
    for agent in agents:
        kill(agent, 0)
    outputs = [agent.communicate() for agent in agents]
    assert [agent.returncode for agent in agents] == [0, 0], outputs
    (path,) = (tmp_path / "runs").iterdir()
    run = find_run(tmp_path / "runs", path.name)
    starts = [event.step for event in all_events(run.log_file) if isinstance(event, RunStarted)]
    assert [step > 0 for step in starts] == [False, True]
    ours, theirs = (load_checkpoint(each, "last") for each in (run, train_run(values).run))
    assert all(torch.allclose(value, theirs["model"][key], atol=1e-4) for key, value in ours["model"].items())


@pytest.mark.heavy
def test_sigterm_saves_and_ends_all(launch: Launch, tmp_path: Path) -> None:
    process = launch(
        "--data", "iris", "--model", "mlp", "--epochs", "1000000", "--json", "--processes", "2", nodes=()
    )
    wait_for("epoch_finished", process)
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate()
    assert process.returncode == 128 + signal.SIGTERM
    assert "Traceback" not in told
    run = find_run(tmp_path / "runs", "latest")
    assert summarise(run).status == "stopped"
    assert load_checkpoint(run, "last")["progress"]["epoch"] >= 1


def test_batches_that_cannot_be_divided_are_refused() -> None:
    config = configuration.from_dict({"training": {"batch_size": 3}})
    Group(0, 3).check_batches(config)
    with pytest.raises(ConfigError, match="3 samples cannot be divided among 4 processes"):
        Group(0, 4).check_batches(config)
    Group(0, 1).check_batches(configuration.from_dict({"training": {"batch_size": 1}}))
    config = configuration.from_dict({"optimizer": "lbfgs"})
    with pytest.raises(ConfigError, match="lbfgs does not support training in several processes"):
        Group(0, 2).check_batches(config)


def test_processes_that_would_start_at_different_steps_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as where one machine does not see the last checkpoint."""
    Group(0, 1).check_step(20)
    monkeypatch.setattr(Group, "maxima", lambda self, values: [20.0, 0.0])
    with pytest.raises(RunDamaged, match="would start at different steps, from 0 to 20"):
        Group(1, 2).check_step(20)


@pytest.mark.parametrize(("size", "batch"), [(2, 4), (3, 4), (3, 3), (4, 16)])
def test_shares_are_all_batches_and_every_process_has_one_of_each(size: int, batch: int) -> None:
    """Some batches at once where each divides evenly; who has no sample of the last one computes on another's."""
    rows = torch.arange(17 if batch % size == 0 else min(batch, 17))
    ranks = [Group(rank, size) for rank in range(size)]
    shares = [group.share(rows, batch) for group in ranks]
    last = len(rows) % batch or batch
    own = [share[: len(share) - (rank >= last)].tolist() for rank, share in enumerate(shares)]
    assert sorted(row for share in own for row in share) == rows.tolist()
    assert len({-(-len(share) // -(-batch // size)) for share in shares}) == 1, "as many batches in each"
    assert all(share[-1] == rows[-last] for rank, share in enumerate(shares) if rank >= last)
    assert sum(group.share_of(last, None).weight for group in ranks) == pytest.approx(1)
    assert [group.share_of(last, None).weight == 0 for group in ranks] == [
        rank >= last for rank in range(size)
    ]


def test_what_one_process_cannot_prepare_ends_all_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as a file that is on one of two machines only; it goes from process to process as a pickle."""

    def gather(told: list[Any], own: Any) -> None:
        told[:] = [None, pickle.loads(pickle.dumps(DataError("my.csv is not there", "Give another")))]

    monkeypatch.setattr("core.training.distributed.dist.barrier", lambda: None)
    monkeypatch.setattr("core.training.distributed.dist.all_gather_object", gather)
    with pytest.raises(
        DataError, match=r"^my\.csv is not there \(in the process of rank 1\)\. Give another$"
    ):
        Group(0, 2).local_first(lambda: 3)

    def fail() -> None:
        raise DeviceError("its own")

    with pytest.raises(DeviceError, match=r"^its own$"):
        Group(0, 2).local_first(fail)
    monkeypatch.setattr("core.training.distributed.dist.all_gather_object", lambda told, own: None)
    assert Group(0, 2).local_first(lambda: 3) == 3


def test_more_processes_than_gpus_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.training.distributed.dist.all_gather_object", lambda told, own: None)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(DeviceError, match="1 GPUs but more processes"):
        Group(1, 2, local_rank=1).device(torch.device("cuda", 0))


def test_what_one_process_is_asked_for_reaches_it_at_a_meeting_only() -> None:
    own = RunControl()
    shared = SharedControl(own, Group())
    own.stop()
    own.checkpoint()
    own.watch_layers()
    assert not shared.attention
    assert shared.sync(3.0) == [3.0]
    assert shared.stop_requested
    assert shared.take_checkpoint_request()
    assert shared.take_layers_request()
    assert not own.take_checkpoint_request()
    assert not own.take_layers_request()


# -- one of two processes alone --------------------------------------------------------------------------------


class Half(Group):
    """One of two processes; the other one reports nothing, validates nothing, and its clock does not move."""

    def wrap(self, model: nn.Module, share: Any, *, any_unused: bool = False) -> nn.Module:
        return model

    def own_batches(self, samples: int, size: int) -> None:
        return None

    def _reduce(self, values: Any, op: Any) -> list[float]:
        return list(values)


class Forgetful:
    """Checkpoints that are discarded."""

    def save(self, state: dict[str, Any], kind: str) -> None: ...


def train_half(
    load_data: Callable[..., Dataset], rank: int, model: nn.Module | None = None, **training: Any
) -> list[Event]:
    """Return the events of one process of a run of 3 epochs, asked for its layers from the start."""
    data, told, control = load_data("iris"), list[Event](), RunControl()
    control.watch_layers()
    config = configuration.from_dict({"training": {"epochs": 3, "batch_size": 32, **training}})
    model = model or build(config.model, data, seed=0)
    context = TrainingContext(torch.device("cpu"), Half(rank=rank, size=2))
    train(config, data, model, context, emit=told.append, control=control, checkpoints=Forgetful())
    return told


def last_epoch(told: list[Event]) -> int:
    return max(event.epoch for event in told if isinstance(event, EpochFinished))


def test_the_clock_of_the_first_process_alone_ends_a_run(
    load_data: Callable[..., Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where another one would keep a checkpoint, if that were its business."""
    monkeypatch.setattr("core.training.engine.SAVE_SECONDS", -1.0)
    epochs = [last_epoch(train_half(load_data, rank, max_minutes=1e-9)) for rank in (0, 1)]
    assert epochs == [1, 3]


def test_a_run_that_goes_on_meets_at_its_second_step() -> None:
    """The time of its steps is not known before; those of an earlier session say nothing about it."""
    points = SyncPoints(RunControl(), Half(rank=0, size=2))
    points.sync(100_000, False, False, 1.0)
    assert points.next_step == 100_001


def test_every_process_validates_with_the_statistics_of_the_first(
    load_data: Callable[..., Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    def of_first(buffer: torch.Tensor, source: int) -> None:
        assert source == 0
        buffer.fill_(3)

    def see(model: nn.Module, *rest: Any) -> Any:
        seen.append({value for buffer in model.buffers() for value in buffer.flatten().tolist()})
        return validate(model, *rest)

    seen: list[set[float]] = []
    monkeypatch.setattr("core.training.distributed.dist.broadcast", of_first)
    monkeypatch.setattr("core.training.learner.validate", see)
    train_half(load_data, 1, nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 3)), sync_batch_norm=False)
    assert seen == [{3.0}] * 3


def test_the_first_process_tells_the_layers(load_data: Callable[..., Dataset]) -> None:
    first, other = (
        [event for event in train_half(load_data, rank) if isinstance(event, LayersSampled)]
        for rank in (0, 1)
    )
    assert first
    assert first[0].step == 2, "after the first meeting"
    assert not other
