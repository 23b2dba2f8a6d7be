"""Trials of which each is trained by several processes."""

import os
from concurrent.futures import Future
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import pytest

from core.config import schema as configuration
from core.control import RunControl
from core.errors import ProcessLost
from core.runs.code import trust_config
from core.tuning.executors import group
from core.tuning.executors.executors import LocalProcesses
from core.tuning.executors.protocol import Ended, Outcome, Reported, TrialTask
from core.tuning.search.plan import make_plan
from core.tuning.study.records import StudyEvent, TrialReported
from core.tuning.study.study import check_plan, create_study
from core.tuning.study.tuner import tune


def test_a_worker_passes_on_epochs_answers_and_requests() -> None:
    ours, theirs = Pipe()
    control, told = RunControl(), []
    for message in (Reported(3, 1, 0.5), Reported(3, 2, None), Ended(3, Outcome("pruned"))):
        theirs.send(message)
    control.pause()

    def report(epoch: int, value: float | None) -> bool:
        told.append((epoch, value))
        (control.resume if epoch == 1 else control.stop)()
        return epoch == 1

    outcome = group._follow(ours, Future(), report, control, waits=True)
    assert (outcome, told) == (Outcome("pruned"), [(1, 0.5), (2, None)])
    heard = [theirs.recv() for _ in range(5)]
    assert heard == [("pause", None), ("answer", True), ("resume", None), ("answer", False), ("stop", None)]


def test_a_group_that_has_ended_has_no_outcome() -> None:
    ours, theirs = Pipe()
    code: Future[int] = Future()
    code.set_result(1)
    assert group._follow(ours, code, lambda epoch, value: True, RunControl(), waits=False) is None
    theirs.close()
    assert group._follow(ours, Future(), lambda epoch, value: True, RunControl(), waits=False) is None


@pytest.mark.parametrize(
    ("ends", "reason"),
    [
        (
            ProcessLost("the process of rank 1 was killed by SIGKILL"),
            "the process of rank 1 was killed by SIGKILL",
        ),
        (7, "its processes exited with code 7"),
    ],
)
def test_why_a_group_was_lost(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ends: Exception | int, reason: str
) -> None:
    given: dict[str, Any] = {}

    class Lost:
        def __init__(self, command: list[str], processes: int, **more: Any) -> None:
            given.update(more, processes=processes)

        def run(self) -> int:
            os.close(given["handed_over"])
            if isinstance(ends, Exception):
                raise ends
            return ends

    monkeypatch.setattr(group, "Launcher", Lost)
    task = TrialTask(0, {}, tmp_path, "loss", 6, False, None)
    outcome = group.train_together(task, lambda epoch, value: True, RunControl(), 2)
    assert (outcome.state, outcome.reason) == ("failed", reason)
    assert (given["processes"], given["environment"]["OMP_NUM_THREADS"]) == (2, "3")


DATA = """
import os
from pathlib import Path
import numpy as np

def make():
    (Path(__file__).parent / f"{os.environ.get('WORLD_SIZE', '1')}-{os.environ.get('RANK', '0')}").touch()
    dice = np.random.default_rng(0)
    inputs = dice.random((90, 4), dtype="float32")
    return inputs, (inputs[:, 0] > inputs[:, 1]).astype("int64")
"""


@pytest.mark.heavy
def test_trials_in_two_processes_have_the_values_of_one(tmp_path: Path) -> None:
    """Both pause at their milestone, and the better one resumes."""
    (tmp_path / "data.py").write_text(DATA)
    data = {"name": "python", "path": f"{tmp_path / 'data.py'}:make"}
    training = {"epochs": 2, "batch_size": 7, "device": "cpu", "threads": 1}
    base = configuration.from_dict({"data": data, "training": training})
    trust_config(base)
    rates = {"optimizer.lr": {"choices": [0.001, 0.1]}}
    wanted = make_plan(base, rates, method="grid", pruner="asha")
    plan = check_plan(wanted, None, lambda what, done, total: None)

    def searched(processes: int) -> tuple[list[object], list[float | None]]:
        """Return what happened, and the numbers of the trials."""
        told: list[object] = []

        def hear(event: StudyEvent) -> None:
            if isinstance(event, TrialReported):
                told.append((event.number, event.epoch))

        executor = LocalProcesses(1, 1, processes)
        try:
            found = tune(create_study(tmp_path, plan), executor, emit=hear, control=RunControl())
        finally:
            executor.close()
        states = [(record.state, record.epochs) for record in found.records]
        return [*told, *states], [
            number for record in found.records for number in (record.value, *record.curve)
        ]

    alone, together = searched(1), searched(2)
    assert together[0] == alone[0]
    assert ("paused", 1) in alone[0]
    assert together[1] == pytest.approx(alone[1], rel=1e-5)
    assert sorted(path.name for path in tmp_path.glob("?-?")) == ["1-0", "2-0", "2-1"]


NETWORK = """
import os
import signal
import torch
from torch import nn

class Fragile(nn.Module):
    def __init__(self, inputs, outputs, fate):
        super().__init__()
        self.layer, self.fate = nn.Linear(inputs, outputs), fate

    def forward(self, x):
        if self.training and os.environ.get("RANK") == "1":
            if self.fate == "memory":
                torch.empty(10**15)
            if self.fate == "killed":
                os.kill(os.getpid(), signal.SIGKILL)
        return self.layer(x)

def make(in_features: int, out_features: int, fate: str = "fine") -> nn.Module:
    return Fragile(in_features, out_features, fate)
"""


@pytest.mark.heavy
def test_a_divided_trial_says_why_one_of_its_processes_failed_and_the_next_one_trains(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(NETWORK)
    base = configuration.from_dict(
        {
            "data": "iris",
            "model": {"name": "python", "path": f"{tmp_path / 'net.py'}:make"},
            "training": {"epochs": 1, "device": "cpu", "threads": 1, "shard": "fsdp", "preflight": False},
        }
    )
    trust_config(base)
    fates = {"model.arguments.fate": {"choices": ["memory", "killed", "fine"]}}
    plan = check_plan(make_plan(base, fates, method="grid"), None, lambda what, done, total: None)
    executor = LocalProcesses(1, 1, 2)
    try:
        found = tune(create_study(tmp_path, plan), executor, emit=lambda event: None, control=RunControl())
    finally:
        executor.close()
    ended = {record.params["model.arguments.fate"]: record for record in found.records}
    assert {fate: record.state for fate, record in ended.items()} == {
        "memory": "failed",
        "killed": "failed",
        "fine": "completed",
    }
    assert ended["memory"].reason.startswith(
        "the process of rank 1 failed: out of memory on cpu with batches of"
    )
    assert ended["killed"].reason == "the process of rank 1 was killed by SIGKILL"
    assert ended["fine"].value is not None
