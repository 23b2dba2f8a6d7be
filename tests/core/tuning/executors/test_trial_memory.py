"""Trials at once take no more memory than there is."""

from dataclasses import replace
from typing import Any

import pytest

from core.config import schema as configuration
from core.machine import Memory
from core.models.summary import Layer, ModelSummary
from core.tuning.executors.executors import LocalProcesses
from core.tuning.executors.trial_memory import PROCESS_BYTES, estimate, slots_that_fit
from core.tuning.executors.where import Where
from core.tuning.search.plan import Plan, make_plan, plan_from_dict
from core.tuning.study.records import StudyEvent
from tests.support.fixtures import LoadData
from tui.headless.tune import _limit_by_memory

GB = 10**9


class Screen:
    """A view that keeps what it shows."""

    def __init__(self) -> None:
        self.shown: list[Any] = []

    def show(self, event: StudyEvent) -> None:
        self.shown.append(event)

    def preparing(self, what: str, done: int, total: int) -> None: ...

    def close(self) -> None: ...


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let 2.5 GB be free."""
    for module in ("core.tuning.executors.trial_memory", "tui.headless.tune"):
        monkeypatch.setattr(f"{module}.memory", lambda: Memory(4 * GB, 25 * GB // 10))


@pytest.fixture
def plan() -> Plan:
    plan = make_plan(configuration.from_dict({"data": "iris", "model": "mlp"}), {}, trials=4)
    return replace(plan, trial_bytes=GB)


def local(slots: int) -> LocalProcesses:
    executor = LocalProcesses.__new__(LocalProcesses)
    executor.slots, executor.threads = slots, 1
    return executor


@pytest.mark.usefixtures("free")
def test_trials_at_once_are_limited_by_memory(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.tuning.executors.executors.available_cores", lambda: 8)
    executor, screen = local(8), Screen()
    _limit_by_memory(executor, plan, Where(jobs=8), screen)
    assert (executor.slots, executor.threads) == (2, 4)
    (notice,) = screen.shown
    assert notice.message == (
        "2 trials at once instead of 8: a trial needs about 1.0 GB, and 2.5 GB are free. Override: --trial-memory GB"
    )
    executor, screen = local(8), Screen()
    _limit_by_memory(executor, plan, Where(jobs=8, trial_memory=0.3), screen)
    assert (executor.slots, screen.shown) == (8, [])


@pytest.mark.usefixtures("free")
def test_a_trial_that_may_not_fit_is_reported(plan: Plan) -> None:
    executor, screen = local(1), Screen()
    _limit_by_memory(executor, replace(plan, trial_bytes=3 * GB), Where(), screen)
    (notice,) = screen.shown
    assert executor.slots == 1
    assert notice.message == (
        "a trial may not fit into memory: a trial needs about 3.0 GB, and 2.5 GB are free"
    )


@pytest.mark.usefixtures("free")
def test_one_trial_always_runs_and_unknown_ones_count_as_a_process() -> None:
    assert [slots_that_fit(slots, 9 * GB) for slots in (1, 4)] == [1, 1]
    assert slots_that_fit(99, 0) == 25 * GB // 10 // PROCESS_BYTES


def test_data_network_and_a_batch_are_counted(load_data: LoadData) -> None:
    data = load_data("iris")
    summary = ModelSummary((Layer("a", "Linear", (1000,), 5),), 10**6, 10, 10)
    samples = sum(len(split) for split in data.splits.values())
    needed = estimate(data, summary, 64) - PROCESS_BYTES
    assert needed == samples * (4 * 4 + 8) + 10**6 * 8 * 4 + 64 * 1000 * 2 * 4


def test_a_study_of_an_earlier_version_has_no_estimate(plan: Plan) -> None:
    values = plan.to_dict()
    assert plan_from_dict(values).trial_bytes == GB
    del values["trial_bytes"]
    assert plan_from_dict(values).trial_bytes == 0
