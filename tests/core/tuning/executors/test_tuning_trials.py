"""Trials in real worker processes: each is a run like any other, and nothing of them can end the study."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.config import schema as configuration
from core.control import RunControl
from core.data.dataset import Dataset
from core.events import EpochFinished, EvaluationFinished, RunFinished, RunStarted
from core.machine import available_cores
from core.models.mlp import Mlp
from core.runs.code import trust_config
from core.runs.folder import Run, all_runs
from core.runs.log import all_events
from core.runs.summary import summarise
from core.tuning.executors.executors import LocalProcesses, local_slots
from core.tuning.executors.protocol import TrialTask
from core.tuning.search.plan import make_plan
from core.tuning.study.records import StudyEvent, StudyFinished, StudyNotice, TrialReported, TrialStarted
from core.tuning.study.study import TuningStudy, check_plan, create_study, open_study
from core.tuning.study.tuner import tune
from tests.support.locks import refuse_locks
from tests.support.narrow import instance
from tests.support.own_data import write_own_data

pytestmark = pytest.mark.slow

OnEvent = Callable[[StudyEvent, RunControl], None]
RATES = {"optimizer.lr": {"low": 1e-3, "high": 1e-1, "log": True}}


@pytest.fixture(scope="module")
def workers() -> Iterator[Callable[[int], LocalProcesses]]:
    """Executors by their number of jobs; their processes are shared by the tests of this file."""
    made: dict[int, LocalProcesses] = {}

    def workers(jobs: int = 1) -> LocalProcesses:
        return made.setdefault(jobs, LocalProcesses(jobs))

    yield workers
    for executor in made.values():
        executor.close()


@pytest.fixture
def tune_iris(tmp_path: Path, workers: Callable[[int], LocalProcesses]) -> Callable[..., Any]:
    """Tunes on iris; gives the study and how it ended."""

    def tune_iris(
        domains: dict[str, Any],
        *,
        jobs: int = 1,
        epochs: int = 3,
        on_event: OnEvent = lambda event, control: None,
        study: TuningStudy | None = None,
        **options: Any,
    ) -> tuple[TuningStudy, StudyFinished]:
        if study is None:
            training = {"epochs": epochs, "device": "cpu"}
            base = configuration.from_dict({"data": "iris", "model": "mlp", "training": training})
            plan = check_plan(make_plan(base, domains, **options), None, lambda what, done, total: None)
            study = create_study(tmp_path, plan)
        control = RunControl()
        finished = tune(study, workers(jobs), emit=lambda event: on_event(event, control), control=control)
        return study, finished

    return tune_iris


def told(run: Path | None, kind: type[Any]) -> list[Any]:
    """The events of one kind in the log of a run."""
    assert run is not None
    return [event for event in all_events(run / "events.jsonl") if isinstance(event, kind)]


def test_every_trial_is_a_whole_run_that_never_saw_the_test_split(tune_iris: Callable[..., Any]) -> None:
    study, finished = tune_iris({"model.hidden": [[4], [8], [16]]}, method="grid", keep=1)
    assert {run.path for run in all_runs(study.folder.trials_dir)} == {
        trial.run for trial in finished.records
    }
    for trial in finished.records:
        run = Run(trial.run)
        assert summarise(run).status == "completed"
        assert run.environment_file.is_file()
        assert list(instance(Mlp, run.config().model).hidden) == trial.params["model.hidden"]
        assert [event.split for event in told(run.path, EvaluationFinished)] == ["validation"]
        assert told(run.path, RunStarted)[0].samples["test"] == 0
        assert not run.evaluation_folder("test").exists()
        epochs = told(run.path, EpochFinished)
        assert trial.value == epochs[-1].best_metrics["loss"]
        assert list(trial.curve) == [epoch.validation["loss"] for epoch in epochs]
        is_best = trial.number == finished.best.number
        assert run.checkpoint_file("best").is_file() == run.checkpoint_file("last").is_file() == is_best
    from core.session.evaluation import evaluate_run

    assert evaluate_run(Run(finished.best.run), "test").report.n == 30


def test_one_job_and_one_seed_give_the_same_bits_and_two_jobs_the_same_trials(
    tune_iris: Callable[..., Any],
) -> None:
    domains = {**RATES, "model.dropout": {"low": 0.0, "high": 0.5}}
    ended = [tune_iris(domains, jobs=jobs, method="random", trials=3)[1] for jobs in (1, 1, 2)]
    values = [[(trial.params, trial.value, trial.curve) for trial in finished.records] for finished in ended]
    assert values[0] == values[1] == values[2]


def test_cores_are_divided_and_never_lent_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.tuning.executors.executors.available_cores", lambda: 8)
    assert [local_slots(jobs, None) for jobs in (1, 2, 3, 8, 99)] == [(1, 8), (2, 4), (3, 2), (8, 1), (8, 1)]
    assert [local_slots(jobs, 3) for jobs in (1, 2, 4)] == [(1, 3), (2, 3), (2, 3)]
    assert local_slots(1, 64) == (1, 64)
    assert [local_slots(jobs, None, 2) for jobs in (1, 2, 8)] == [(1, 8), (2, 4), (4, 2)]
    assert [local_slots(jobs, 3, 2) for jobs in (1, 2)] == [(1, 6), (1, 6)]


def test_trials_compute_with_their_share_of_the_cores(tune_iris: Callable[..., Any]) -> None:
    jobs = available_cores()
    wide = {"model.hidden": [[1024, 1024]]}  # alone, it would take all cores
    _, finished = tune_iris(wide, jobs=jobs, epochs=1, method="grid")
    assert told(finished.records[0].run, RunStarted)[0].threads == 1


def test_paused_trials_end_early(tune_iris: Callable[..., Any]) -> None:
    domains = {"optimizer.lr": [1e-2, 1e-6, 1e-7]}
    _, finished = tune_iris(domains, epochs=30, method="grid", pruner="asha")
    assert [trial.state for trial in finished.records] == ["completed", "paused", "paused"]
    for trial in finished.records[1:]:
        assert trial.epochs == len(told(trial.run, EpochFinished)) < 30
        assert summarise(Run(trial.run)).status == "stopped"


def test_a_metric_of_the_report_can_be_searched(tune_iris: Callable[..., Any]) -> None:
    _, finished = tune_iris(RATES, method="random", trials=2, metric="f1_macro")
    for trial in finished.records:
        assert trial.value == told(trial.run, EvaluationFinished)[0].metrics["f1_macro"]
    assert finished.best.value == max(trial.value for trial in finished.records)


def test_what_cannot_be_trained_is_found_before_the_study_begins(tune_iris: Callable[..., Any]) -> None:
    from core.errors import ConfigError, ModelError

    with pytest.raises(ModelError, match="cnn takes images"):
        tune_iris({"model.name": ["mlp", "cnn"]}, method="grid")
    with pytest.raises(ConfigError, match="a multiclass task has no r2"):
        tune_iris(RATES, metric="r2", trials=1)


def test_diverging_trials_and_a_dead_worker_do_not_end_the_study(tune_iris: Callable[..., Any]) -> None:
    runs: dict[int, Path | None] = {}

    def kill_the_worker_of_trial_2(event: StudyEvent, control: RunControl) -> None:
        if isinstance(event, TrialStarted):
            runs[event.trial.number] = event.trial.run
        elif isinstance(event, TrialReported) and event.number == 2:
            os.kill(told(runs[2], RunStarted)[0].pid, signal.SIGKILL)

    domains = {"optimizer.lr": [0.01, 1e30, 0.02, 0.03]}
    study, finished = tune_iris(domains, method="grid", pruner="median", on_event=kill_the_worker_of_trial_2)
    assert [trial.state for trial in finished.records] == ["completed", "diverged", "failed", "completed"]
    assert "try a smaller learning rate" in finished.records[1].reason
    assert finished.records[2].reason == "its process was killed by SIGKILL"
    assert told(finished.records[1].run, RunFinished)[0].status == "diverged"
    assert study.records() == list(finished.records)


def test_a_stopped_trial_goes_on_from_its_checkpoint(tune_iris: Callable[..., Any], tmp_path: Path) -> None:
    def stop(event: StudyEvent, control: RunControl) -> None:
        if isinstance(event, TrialReported):
            control.stop()

    study, stopped = tune_iris(RATES, epochs=700, method="random", trials=1, on_event=stop)
    (trial,) = stopped.records
    assert (stopped.status, trial.state) == ("stopped", "interrupted")
    done = summarise(Run(trial.run)).epoch
    assert 0 < done < 700
    _, finished = tune_iris({}, study=open_study(tmp_path, study.name))
    assert [(record.state, record.epochs) for record in finished.records] == [("completed", 700)]
    assert [event.epoch for event in told(trial.run, RunStarted)] == [0, done]


def test_a_study_on_a_disk_without_locks_says_what_does_not_work_there(
    tune_iris: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_locks(monkeypatch)
    notices: list[str] = []

    def listen(event: StudyEvent, control: RunControl) -> None:
        if isinstance(event, StudyNotice):
            notices.append(event.message)

    study, finished = tune_iris(RATES, trials=2, jobs=1, epochs=1, on_event=listen)
    assert [trial.state for trial in finished.records] == ["completed"] * 2
    assert [notice.partition(":")[0] for notice in notices] == ["the file system of the study has no locks"]
    assert study.records() == open_study(study.folder.path.parent, study.name).records()


@pytest.mark.parametrize("source", ["wine", "python"])
def test_data_is_loaded_once_in_a_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    from core.data import registry
    from core.runs.creating import create_run
    from core.tuning.executors import trial

    loads: list[Any] = []

    def noted(*given: Any) -> Dataset:
        loads.append(given)
        return registry.load(*given)

    monkeypatch.setattr(trial, "load", noted)
    monkeypatch.setattr(trial, "_loaded", [])
    data = {"name": "python", **write_own_data(tmp_path)["python"]} if source == "python" else source
    config = configuration.from_dict({"data": data, "training": {"epochs": 1, "device": "cpu"}})
    trust_config(config)
    for number in range(2):
        run = create_run(tmp_path, config).path
        task = TrialTask(number, configuration.to_dict(config), run, "loss", 1, False, tmp_path)
        assert trial.run_trial(task, lambda epoch, value: True, RunControl()).state == "completed"
    assert len(loads) == 1
