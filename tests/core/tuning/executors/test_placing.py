"""Trials spread over the GPUs of a machine; the GPUs are stand-ins."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from core.config import schema as configuration
from core.errors import DeviceError
from core.events import Notice
from core.gpus import claims
from core.gpus.allowed import Allowed
from core.gpus.table import GpuState
from core.runs.creating import create_run
from core.runs.folder import Run
from core.runs.log import all_events
from core.tuning.executors import placing
from core.tuning.executors.executors import LocalProcesses
from core.tuning.executors.placing import TrialGpus, place_trials, placing_of
from core.tuning.executors.protocol import Ended, TrialTask
from core.tuning.search.plan import make_plan

GIB = 1 << 30


@pytest.fixture(autouse=True)
def own_locks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Locks in a folder of the test."""
    monkeypatch.setattr(claims, "LOCAL", tmp_path)


def gpus(count: int, busy: tuple[int, ...] = (), names: str = "") -> tuple[GpuState, ...]:
    """GPUs of 40 GiB; on some of them a process computes."""
    return tuple(
        GpuState(
            index=str(place),
            uuid=f"GPU-{place}",
            name=names[place : place + 1] or "A100",
            total=40 * GIB,
            used=30 * GIB if place in busy else 0,
            users=((77, GIB),) if place in busy else (),
        )
        for place in range(count)
    )


def places(placed: TrialGpus) -> list[str]:
    for lock in placed.locks:
        lock.close()
    return [gpu.index for gpu in placed.gpus]


@pytest.mark.parametrize(
    ("count", "busy", "slots", "taken", "words"),
    [
        (4, (), 4, "0 1 2 3", ("4 trials at once on 4 GPUs: GPU 0 (A100), GPU 1 (A100),",)),
        (4, (), 1, "0", ("1 trial at once on 1 GPU: GPU 0 (A100)", "3 more GPUs are free")),
        (2, (), 5, "0 1", ("5 trials at once on 2 GPUs", "up to 3 trials share one")),
        (3, (0,), 2, "1 2", ("left out: GPU 0 (used by process 77, 10.0 of 40.0 GiB free)",)),
        (3, (0,), 3, "1 2", ("up to 2 trials share one", "left out: GPU 0")),
        (2, (0, 1), 2, "0 1", ("all are used by others, too: GPU 0 (A100) used by process 77",)),
        (0, (), 2, "", ("",)),
    ],
)
def test_trials_are_spread_over_free_gpus(
    count: int, busy: tuple[int, ...], slots: int, taken: str, words: tuple[str, ...]
) -> None:
    placed = place_trials(Allowed(gpus(count, busy)), slots)
    assert " ".join(places(placed)) == taken
    assert all(part in placed.line for part in words), placed.line


def test_gpus_of_other_runs_are_left_out_unless_just_they_were_asked_for() -> None:
    table = gpus(3, busy=(2,))
    held = claims.claim(table[0])
    assert held is not None
    placed = place_trials(Allowed(table), 3)
    assert places(placed) == ["1"]
    assert placed.line.endswith("free), GPU 0 (another run of yours has it)")
    assert places(place_trials(Allowed(table), 3, asked=True)) == ["0", "1", "2"]
    held.close()
    first, second = place_trials(Allowed(table[:2]), 1), place_trials(Allowed(table[:2]), 1)
    assert (places(first), places(second)) == (["0"], ["1"])


def test_each_process_of_a_trial_gets_a_gpu_of_its_own() -> None:
    table = gpus(5, busy=(0,))
    placed = place_trials(Allowed(table), 2, each=2)
    assert places(placed) == ["1", "2", "3", "4"]
    assert "share" not in placed.line
    placed = place_trials(Allowed(gpus(2, busy=(0,))), 1, each=2)
    assert sorted(places(placed)) == ["0", "1"], "better a busy one than too few"
    with pytest.raises(
        DeviceError, match="a trial of 3 processes needs a GPU for each, and there are 2 GPUs"
    ):
        place_trials(Allowed(table[:2]), 1, each=3)


def test_gpus_that_differ_are_reported() -> None:
    placed = place_trials(Allowed(gpus(2, names="AB")), 2)
    places(placed)
    assert placed.line.endswith("they differ, so seconds and latency of trials do not compare")


def test_the_device_of_a_plan_and_named_gpus_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str | None] = []

    def allowed_here(names: str | None, by_cuda: object) -> Allowed:
        asked.append(names)
        if names == "9":
            raise DeviceError("GPU 9 is not here")
        return Allowed(gpus(2))

    monkeypatch.setattr(placing, "allowed_here", allowed_here)

    def plan(device: str):  # type: ignore[no-untyped-def]  # what make_plan returns
        return make_plan(
            configuration.from_dict({"data": "iris", "model": "mlp", "training": {"device": device}}),
            {},
            trials=4,
        )

    assert placing_of(plan("cpu"), 2, None) == placing_of(plan("cuda:1"), 2, None) == TrialGpus()
    assert asked == []
    assert places(placing_of(plan("cuda"), 2, None)) == ["0", "1"]
    with pytest.raises(DeviceError):
        placing_of(plan("auto"), 2, "9")
    monkeypatch.setenv("TUI_GPU", "GPU 0 (A100), GPU 1 (A100)")
    held = claims.claim(gpus(1)[0])  # by the queue that has started this study
    assert held is not None
    assert places(placing_of(plan("auto"), 2, None)) == ["0", "1"]
    held.close()


def test_a_new_worker_gets_the_gpu_that_fewest_have() -> None:
    first, second, third = table = gpus(3)
    executor = LocalProcesses.__new__(LocalProcesses)
    executor.placing = TrialGpus(table)
    executor._workers, executor.processes = [], 1
    given = []
    for _ in range(4):
        given.append(executor._least_used())
        executor._workers.append(SimpleNamespace(gpus=given[-1]))  # type: ignore[arg-type]  # a stand-in
    assert given == [(first,), (second,), (third,), (first,)]
    del executor._workers[1]
    assert executor._least_used() == (second,), "that of the worker that died"
    executor.processes = 2
    assert executor._least_used() == (second, third), "one for each process of a trial"
    executor.placing = TrialGpus()
    assert executor._least_used() == ()


def given_to(run: Run) -> list[str]:
    return [
        event.message
        for event in all_events(run.log_file)
        if isinstance(event, Notice) and "taken for it" in event.message
    ]


@pytest.mark.heavy
def test_each_worker_sees_its_gpu_alone_also_after_one_was_killed(tmp_path: Path) -> None:
    training = {"epochs": 1, "threads": 1}
    config = configuration.from_dict({"data": "iris", "model": "mlp", "training": training})
    runs = [create_run(tmp_path / "runs", config) for _ in range(3)]
    executor = LocalProcesses(2, 1)
    executor.slots, executor.placing = 2, TrialGpus(gpus(2))

    def start(trial: int) -> None:
        run = runs[trial].path
        executor.start(TrialTask(trial, configuration.to_dict(config), run, "loss", 1, False, tmp_path))

    def end(count: int) -> list[str]:
        states: list[str] = []
        while len(states) < count:
            states += [each.outcome.state for each in executor.wait(1) if isinstance(each, Ended)]
        return states

    try:
        start(0)
        start(1)
        assert end(2) == ["completed", "completed"]
        killed = executor._workers[0]
        killed.trial = 9  # busy, for all that the study knows
        os.kill(killed.process.pid or 0, 9)
        assert end(1) == ["failed"]
        executor._workers[0].trial = 8  # the other one: a new worker is needed
        start(2)
        executor._workers[0].trial = None
        assert end(1) == ["completed"]
    finally:
        executor.close()
    notes = [given_to(run) for run in runs]
    assert [note[0].partition(",")[0] for note in notes] == [
        *("it has GPU 0 (A100)", "it has GPU 1 (A100)", "it has GPU 0 (A100)"),
    ]
