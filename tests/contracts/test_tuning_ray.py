"""Trials on a real Ray cluster of two nodes, one of which is killed while it trains."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from core import config as configuration
from core.control import RunControl
from core.events import RunStarted
from core.runs.folder import Run
from core.runs.log import LogReader
from core.tuning.plan import make_plan
from core.tuning.records import StudyEvent, StudyFinished, TrialReported, TrialStarted
from core.tuning.study import create_study
from core.tuning.tuner import tune

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
ray = pytest.importorskip("ray", reason="needs Ray: pip install 'torchtui[ray]'")

OnEvent = Callable[[StudyEvent, RunControl], None]
NODE = {"num_cpus": 1, "object_store_memory": 80 << 20}


@pytest.fixture
def cluster() -> Iterator[Any]:
    """A cluster of two nodes with one processor each; this process is connected to the first."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args=NODE)
    cluster.add_node(**NODE)
    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
    yield cluster
    ray.shutdown()
    cluster.shutdown()


def work(folder: Path, domains: Any, epochs: int, on_event: OnEvent, **options: Any) -> StudyFinished:
    from core.tuning.ray_executor import RayExecutor

    training = {"epochs": epochs, "device": "cpu", "checkpoint_minutes": 0.01}
    base = configuration.from_dict({"data": "iris", "training": training})
    plan = make_plan(base, domains, method="grid", **options)
    executor, control = RayExecutor("auto"), RunControl()
    assert (executor.slots, executor.threads) == (2, 1)
    try:
        study = create_study(folder, plan)
        return tune(study, executor, emit=lambda event: on_event(event, control), control=control)
    finally:
        executor.close()


def starts(run: Path | None) -> list[RunStarted]:
    assert run is not None
    return [event for event in LogReader(run / "events.jsonl").read() if isinstance(event, RunStarted)]


def test_ray_prunes_fails_stops_and_runs_a_lost_nodes_trial_again(cluster: Any, tmp_path: Path) -> None:
    """One test, since a cluster takes its time to start."""
    rates = {"optimizer.lr": [0.01, 1e30, 1e-6, 1e-7]}
    finished = work(tmp_path, rates, 9, lambda event, control: None, pruner="asha")
    states = [trial.state for trial in finished.records]
    assert (states[1], finished.best and finished.best.number) == ("diverged", 0)
    assert states.count("pruned") >= 1
    shortened = [trial for trial in finished.records if trial.state == "pruned"]
    assert all(trial.epochs == len(trial.curve) < 9 for trial in shortened)

    def stop(event: StudyEvent, control: RunControl) -> None:
        if isinstance(event, TrialReported):
            control.stop()

    stopped = work(tmp_path, {"optimizer.lr": [0.01]}, 100_000, stop)
    assert [trial.state for trial in stopped.records] == ["interrupted"]

    second = next(iter(cluster.worker_nodes))
    its_raylet = second.all_processes["raylet"][0].process.pid
    runs: dict[int, Path] = {}
    lost: list[int] = []

    def kill_the_second_node(event: StudyEvent, control: RunControl) -> None:
        if isinstance(event, TrialStarted):
            runs[event.trial.number] = event.trial.run or Path()
        elif isinstance(event, TrialReported) and not lost and trains_on_the_second(event.number):
            lost.append(event.number)
            cluster.remove_node(second, allow_graceful=False)

    def trains_on_the_second(number: int) -> bool:
        run = Run(runs[number])
        saved = run.checkpoint_file("last").is_file()
        return saved and psutil.Process(starts(run.path)[0].pid).ppid() == its_raylet

    finished = work(tmp_path, {"optimizer.lr": [0.01, 0.02, 0.03]}, 3000, kill_the_second_node)
    assert [trial.state for trial in finished.records] == ["completed"] * 3
    assert len(lost) == 1
    for trial in finished.records:
        epochs = [start.epoch for start in starts(trial.run)]
        assert (len(epochs), epochs[-1] > 0) == ((2, True) if trial.number in lost else (1, False))
