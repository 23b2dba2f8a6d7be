"""Trials that train together as one program come to what they come to one by one."""

import re
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from core.config import schema as configuration
from core.control import RunControl
from core.data.batches import Batch
from core.errors import ConfigError
from core.events import EpochFinished
from core.runs.checkpoints import load_checkpoint
from core.runs.folder import Run
from core.runs.log import LogReader
from core.tuning.executors.batched_gradients import Together
from core.tuning.executors.executors import Executor, LocalProcesses
from core.tuning.executors.vmap_executor import VmapExecutor, _Control
from core.tuning.search.plan import ensure_vectorises, make_plan
from core.tuning.study.records import StudyFinished
from core.tuning.study.study import create_study
from core.tuning.study.tuner import tune
from core.user_code.trust import trust
from tests.support.narrow import some
from tests.support.repository import REPOSITORY


@pytest.fixture(scope="module")
def one_by_one() -> Iterator[LocalProcesses]:
    executor = LocalProcesses(1, 1)
    yield executor
    executor.close()


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return for how many trials each step was computed."""
    found: list[int] = []
    compute = Together._compute

    def counted(together: Together, calls: list[Any]) -> None:
        found.append(len(calls))
        compute(together, calls)

    monkeypatch.setattr(Together, "_compute", counted)
    return found


@pytest.fixture
def study(tmp_path: Path) -> Callable[..., StudyFinished]:
    """A whole grid on an executor."""

    def study(executor: Executor, domains: dict[str, Any], **values: Any) -> StudyFinished:
        fixed = {"data": "iris", "training": {"epochs": 3, "batch_size": 50, "device": "cpu", "threads": 1}}
        base = configuration.from_dict(configuration.merge(fixed, values))
        plan = make_plan(
            base, domains, method="grid", keep=99, metric="auto" if base.loss.name == "auto" else "accuracy"
        )
        return tune(create_study(tmp_path, plan), executor, emit=lambda event: None, control=RunControl())

    return study


def validation(finished: StudyFinished) -> list[list[float]]:
    """The validation losses of every trial."""
    runs = [Run(record.run or Path()) for record in finished.records]
    return [
        [
            event.validation["loss"]
            for event in LogReader(run.log_file).read()
            if isinstance(event, EpochFinished)
        ]
        for run in runs
    ]


CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "rates, momentum and seeds": (
        {"optimizer.lr": [0.01, 0.1], "optimizer.momentum": [0.5, 0.9], "training.seed": [0, 1]},
        {},
    ),
    "another optimizer, decay, clipping, a schedule": (
        {"optimizer.name": ["adamw", "rmsprop"], "optimizer.lr": [1e-3, 1e-2]},
        {"training": {"clip_norm": 0.5}, "schedule": "cosine"},
    ),
    "two architectures, a loss of one-hot targets": (
        {"model.hidden": [[4], [8, 4]], "optimizer.lr": [0.01, 0.1]},
        {"loss": "mse"},
    ),
    "batches of two sizes": ({"training.batch_size": [30, 50], "optimizer.lr": [0.01, 0.1]}, {}),
    "a convolutional network": (
        {"optimizer.lr": [0.01, 0.1]},
        {
            "data": {"name": "digits", "test": 0.6},
            "model": {"name": "cnn", "channels": [2, 4], "hidden": [8]},
        },
    ),
    "regression": ({"optimizer.lr": [0.001, 0.01]}, {"data": "diabetes", "model": "linear"}),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_trials_trained_together_are_those_trained_one_by_one(
    case: str, one_by_one: LocalProcesses, study: Callable[..., StudyFinished], sizes: list[int]
) -> None:
    domains, values = CASES[case]
    together = VmapExecutor(jobs=8)
    alone, joined = (study(executor, domains, **values) for executor in (one_by_one, together))
    together.close()
    assert {record.state for record in joined.records} == {"completed"}
    assert [record.params for record in joined.records] == [record.params for record in alone.records]
    for found, expected in zip(validation(joined), validation(alone), strict=True):
        assert found == pytest.approx(expected, rel=1e-3, abs=1e-5)
    for one, other in zip(joined.records, alone.records, strict=True):
        weights, expected_weights = (
            load_checkpoint(Run(some(record.run)), "best")["model"] for record in (one, other)
        )
        torch.testing.assert_close(weights, expected_weights, rtol=1e-3, atol=1e-4)
    assert max(sizes) > 1


def test_a_network_that_cannot_be_stacked_computes_by_itself(
    one_by_one: LocalProcesses, study: Callable[..., StudyFinished], sizes: list[int]
) -> None:
    together = VmapExecutor(jobs=2)
    added = {"training": {"accumulate": 2}}
    alone, joined = (study(it, {"optimizer.lr": [0.01, 0.1]}, **added) for it in (one_by_one, together))
    assert validation(joined) == validation(alone)
    assert not sizes


def test_networks_that_draw_random_numbers_are_refused() -> None:
    space = make_plan(configuration.from_dict({}), {}, trials=1).space
    with pytest.raises(ConfigError, match="networks with dropout cannot be trained together"):
        ensure_vectorises(space)
    together, model = Together(), torch.nn.Sequential(torch.nn.Dropout(0.1))
    with pytest.raises(ConfigError, match="a network with dropout"):
        together.join(together.expect(), "", space.base.training, model, torch.nn.functional.mse_loss)


def test_what_goes_wrong_in_a_common_step_fails_its_trials_alone(
    study: Callable[..., StudyFinished], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(together: Together, calls: list[Any]) -> None:
        raise RuntimeError("the memory is full")

    monkeypatch.setattr(Together, "_compute", full)
    finished = study(VmapExecutor(jobs=3), {"optimizer.lr": [0.01, 0.1, 0.2]})
    assert [record.state for record in finished.records] == ["failed"] * 3
    assert "cannot be trained together with others: the memory is full" in finished.records[0].reason
    assert "local executor" in finished.records[0].reason


@pytest.mark.parametrize(
    ("name", "reason"),
    [("FunctionalDropout", "line [0-9]+: RuntimeError"), ("Item", "line [0-9]+: RuntimeError"), ("Tied", "")],
)
def test_networks_that_cannot_be_stacked_say_so_and_name_the_other_executor(
    study: Callable[..., StudyFinished], name: str, reason: str
) -> None:
    file = REPOSITORY / "tests" / "support" / "odd_networks.py"
    trust(file)
    model = {"name": "python", "path": f"{file}:{name}"}
    finished = study(VmapExecutor(jobs=2), {"optimizer.lr": [0.01, 0.1]}, model=model, data="digits")
    for record in finished.records:
        assert record.state == "failed"
        assert re.search(f"cannot be trained together with others: .*{reason}", record.reason)
        assert "local executor" in record.reason


class Trial(threading.Thread):
    """A thread that takes steps of a small network with others, and works between them."""

    def __init__(self, together: Together, steps: int, work: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self.together, self.steps, self.work = together, steps, work
        self.member = together.expect()

    def run(self) -> None:
        model, settings = torch.nn.Linear(2, 1), configuration.from_dict({}).training
        step = self.together.join(self.member, "", settings, model, torch.nn.functional.mse_loss)
        assert step is not None
        for _ in range(self.steps):
            step(Batch(torch.ones(3, 2), torch.ones(3, 1)))
            self.work()
        self.together.leave(self.member)


def test_one_trial_works_at_a_time_between_steps() -> None:
    together, at_work, met = Together(), threading.Lock(), []

    def work() -> None:
        met.append(not at_work.acquire(blocking=False))
        if not met[-1]:
            torch.ones(200, 200) @ torch.ones(200, 200)  # others could run meanwhile
            at_work.release()

    trials = [Trial(together, 50, work) for _ in range(4)]
    for trial in trials:
        trial.start()
    for trial in trials:
        trial.join()
    assert met == [False] * 200


def test_a_paused_trial_leaves_the_turn_to_others() -> None:
    together = Together()
    member, settings = together.expect(), configuration.from_dict({}).training
    control = _Control(partial(together.yield_turn, member))
    together.join(member, "", settings, torch.nn.Linear(2, 1), torch.nn.functional.mse_loss)
    other = Trial(together, 0, print)

    def begin_the_other_and_go_on() -> None:
        other.start()
        other.join(timeout=600)
        control.resume()

    control.pause()
    threading.Thread(target=begin_the_other_and_go_on).start()
    control.wait_while_paused()
    assert not other.is_alive()
    together.leave(member)
