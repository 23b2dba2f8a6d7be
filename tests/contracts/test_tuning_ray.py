"""A node of a real Ray cluster is killed while it trains. What all executors keep to: test_tuning_executors.py."""

import re
from pathlib import Path
from typing import Any

import psutil
import pytest

from core.config import schema as configuration
from core.control import RunControl
from core.events import RunStarted
from core.runs.folder import Run
from core.runs.log import all_events
from core.tuning.resources import resources_of
from core.tuning.search.plan import make_plan
from core.tuning.study.records import StudyEvent, StudyNotice, TrialReported, TrialStarted
from core.tuning.study.study import create_study
from core.tuning.study.tuner import tune

pytestmark = [pytest.mark.heavy, pytest.mark.xdist_group("ray")]


def starts(run: Path | None) -> list[RunStarted]:
    assert run is not None
    return [event for event in all_events(run / "events.jsonl") if isinstance(event, RunStarted)]


def test_a_lost_nodes_trial_is_run_again_from_its_checkpoint(ray_cluster: Any, tmp_path: Path) -> None:
    """It is lost while it waits for an answer: a pruner is asked after each epoch, and prunes none of so few trials."""
    from core.tuning.executors.ray_executor import RayExecutor

    second = ray_cluster.add_node(num_cpus=1, object_store_memory=80 << 20)
    its_raylet = second.all_processes["raylet"][0].process.pid
    runs: dict[int, Path] = {}
    lost: list[int] = []

    def kill_the_second_node(event: StudyEvent) -> None:
        if isinstance(event, TrialStarted):
            runs[event.trial.number] = event.trial.run or Path()
        elif isinstance(event, TrialReported) and not lost and trains_on_the_second(event.number):
            lost.append(event.number)
            ray_cluster.remove_node(second, allow_graceful=False)

    def trains_on_the_second(number: int) -> bool:
        run = Run(runs[number])
        saved = run.checkpoint_file("last").is_file()
        return saved and psutil.Process(starts(run.path)[0].pid).ppid() == its_raylet

    training = {"epochs": 6, "device": "cpu", "checkpoint_minutes": 1e-9}
    base = configuration.from_dict({"data": "iris", "model": "mlp", "training": training})
    plan = make_plan(base, {"optimizer.lr": [0.01, 0.02]}, method="grid", pruner="median")
    executor = RayExecutor("auto")
    assert (executor.slots, executor.threads) == (2, 1)
    try:
        finished = tune(
            create_study(tmp_path, plan), executor, emit=kill_the_second_node, control=RunControl()
        )
    finally:
        executor.close()
    assert [trial.state for trial in finished.records] == ["completed"] * 2
    assert len(lost) == 1
    for trial in finished.records:
        steps = [start.step for start in starts(trial.run)]
        assert (len(steps), steps[-1] > 0) == ((2, True) if trial.number in lost else (1, False))


FREE = "[01] of (1 CPU|2 CPUs) and 0 of 0 GPUs free"
"""A node that another test has lost counts for a while."""


@pytest.mark.usefixtures("ray_cluster")
def test_what_is_free_and_what_a_trial_waits_for_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.tuning.executors import ray_executor

    monkeypatch.setattr(ray_executor, "PATIENCE_SECONDS", 0.3)
    monkeypatch.setattr(ray_executor, "LOOK_SECONDS", 0.1)
    training = {"epochs": 40, "batch_size": 1, "device": "cpu"}
    base = configuration.from_dict({"data": "iris", "model": "mlp", "training": training})
    plan = make_plan(base, {"optimizer.lr": [0.01, 0.02]}, method="grid")
    executor = ray_executor.RayExecutor("auto", jobs=2)
    study = create_study(tmp_path, plan)
    told: list[str] = []
    noted: set[tuple[int, ...]] = set()

    def hear(event: StudyEvent) -> None:
        if isinstance(event, StudyNotice):
            told.append(event.message)
        elif (known := resources_of(study.folder)) is not None:
            assert re.fullmatch(FREE, known.free)
            noted.add(known.waiting)

    try:
        assert re.fullmatch(f"Ray: {FREE}; 2 trials at once, each with 1 CPU", executor.line)
        finished = tune(study, executor, emit=hear, control=RunControl())
    finally:
        executor.close()
    assert [trial.state for trial in finished.records] == ["completed"] * 2
    assert noted & {(0,), (1,)}, "whoever follows the study sees which trial waits"
    waits = [text for text in told if re.search(f"on Ray for 1 CPU: {FREE}", text)]
    assert waits, told
    assert ray_executor.free_resources("auto").endswith("GPUs free")
