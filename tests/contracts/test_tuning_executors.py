"""The contract of every executor: real trials in local processes, and as tasks on a real Ray cluster."""

import json
import signal
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest

from core.config import schema as configuration
from core.control import RunControl
from core.events import EpochFinished, RunPaused, RunStarted
from core.runs.folder import Run, all_runs
from core.runs.log import all_events
from core.tuning.executors.executors import Executor, LocalProcesses
from core.tuning.executors.protocol import Message
from core.tuning.search.plan import Method, Pruner, make_plan
from core.tuning.study.records import StudyEvent, StudyFinished, StudyPaused, StudyResumed, TrialReported
from core.tuning.study.study import TuningStudy, create_study, open_study
from core.tuning.study.tuner import tune

OnEvent = Callable[[StudyEvent, RunControl], None]
pytestmark = pytest.mark.heavy

EXECUTORS = ("local", "ray")
GRID = {"optimizer.lr": [0.1, 0.03, 0.01], "training.batch_size": [30, 60]}
RATES = {"optimizer.lr": {"low": 1e-3, "high": 1e-1, "log": True}, "model.hidden": [[4], [8]]}
LONG = "tune --no-ui --json --data iris --model mlp --epochs 60 --device cpu --threads 1 --method grid"


@pytest.fixture(scope="module")
def of_name(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Executor]]:
    """Executors by name, of one trial at once; each is made once."""
    made: list[Executor] = []

    @cache
    def of_name(name: str) -> Executor:
        if name == "local":
            made.append(LocalProcesses(1, 1))
        else:
            request.getfixturevalue("ray_cluster")
            from core.tuning.executors.ray_executor import RayExecutor

            made.append(RayExecutor("auto", jobs=1))
        return made[-1]

    yield of_name
    for executor in made:
        executor.close()


on_ray = pytest.mark.xdist_group("ray")
"""Tests that share a cluster."""
EACH = [pytest.param(name, marks=on_ray) if name == "ray" else name for name in EXECUTORS]


@pytest.fixture(params=EACH)
def executor(request: pytest.FixtureRequest, of_name: Callable[[str], Executor]) -> Executor:
    return of_name(request.param)


def study_of(
    folder: Path, domains: Any, epochs: int = 2, batch_size: int = 120, **options: Any
) -> TuningStudy:
    """A study of iris; small batches make epochs last, each of which costs a message and an answer."""
    training = {"epochs": epochs, "device": "cpu", "threads": 1, "batch_size": batch_size}
    base = configuration.from_dict({"data": "iris", "model": "mlp", "training": training})
    return create_study(folder, make_plan(base, domains, **options))


def work(
    study: TuningStudy, executor: Executor, on_event: OnEvent = lambda event, control: None
) -> StudyFinished:
    control = RunControl()
    return tune(study, executor, emit=lambda event: on_event(event, control), control=control)


def told(run: Path | None, kind: type[Any]) -> list[Any]:
    """The events of one kind in the log of a run."""
    assert run is not None
    return [event for event in all_events(run / "events.jsonl") if isinstance(event, kind)]


@on_ray
@pytest.mark.parametrize("method", get_args(Method))
def test_every_method_trains_its_trials_alike_on_every_executor(
    method: str, of_name: Callable[[str], Executor], tmp_path: Path
) -> None:
    """The same seed gives the same trials and the same bits: twice in processes here, and on Ray."""
    trials = []
    for name in ("local", *EXECUTORS):
        grid = method == "grid"
        study = study_of(tmp_path, GRID if grid else RATES, method=method, trials=None if grid else 4)
        finished = work(study, of_name(name))
        assert [record.state for record in finished.records] == ["completed"] * (6 if grid else 4)
        trials.append([(str(record.params), record.value, record.curve) for record in finished.records])
        assert len({params for params, _, _ in trials[-1]}) == len(finished.records)
    assert trials == [trials[0]] * 3


@pytest.mark.parametrize("pruner", get_args(Pruner)[1:])
def test_pruning_saves_epochs(pruner: str, executor: Executor, tmp_path: Path) -> None:
    rates = {"optimizer.lr": [1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9]}
    finished = work(study_of(tmp_path, rates, 9, method="grid", pruner=pruner), executor)
    epochs = {record.number: len(told(record.run, EpochFinished)) for record in finished.records}
    assert sum(epochs.values()) < 0.9 * 8 * 9
    pruned = [record for record in finished.records if record.state != "completed"]
    assert pruned
    assert all(epochs[record.number] == record.epochs < 9 for record in pruned)
    assert finished.best is not None
    assert finished.best.number == 0


def test_a_study_whose_trials_all_diverge_says_so(executor: Executor, tmp_path: Path) -> None:
    study = study_of(tmp_path, {"optimizer.lr": {"low": 1e20, "high": 1e30}}, method="random", trials=6)
    finished = work(study, executor)
    assert (finished.status, {record.state for record in finished.records}) == ("failed", {"diverged"})
    assert len(finished.records) == 6
    assert finished.error.startswith(
        "none of 6 trials completed; all failed in the same way: the validation loss became NaN"
    )


def test_a_stopped_trial_goes_on_from_its_checkpoint(executor: Executor, tmp_path: Path) -> None:
    def stop(event: StudyEvent, control: RunControl) -> None:
        if isinstance(event, TrialReported):
            control.stop()

    study = study_of(tmp_path, RATES, 800, 12, method="random", trials=1)
    (trial,) = work(study, executor, stop).records
    assert trial.state == "interrupted"
    (trial,) = work(open_study(tmp_path, study.name), executor).records
    assert (trial.state, trial.epochs) == ("completed", 800)
    begun = [event.epoch for event in told(trial.run, RunStarted)]
    assert len(begun) == 2
    assert 0 == begun[0] < begun[1] < 800


def test_a_pause_reaches_the_trials_that_go_on(
    executor: Executor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends once the log of the trial says that it waits."""
    monkeypatch.setattr("core.tuning.study.tuner.LOOK_SECONDS", 0.0)
    study = study_of(tmp_path, RATES, 100_000, 1, method="random", trials=1)
    runs: list[Path | None] = []
    kinds: list[type[StudyEvent]] = []
    wait = executor.wait

    def wait_and_end_the_pause(seconds: float) -> list[Message]:
        if study.paused and told(runs[0], RunPaused):
            study.go_on()
        return wait(seconds)

    def pause_then_stop(event: StudyEvent, control: RunControl) -> None:
        kinds.append(type(event))
        if isinstance(event, TrialReported) and not runs:
            runs.append(study.records()[0].run)
            study.pause()
        elif isinstance(event, TrialReported) and StudyResumed in kinds:
            control.stop()

    monkeypatch.setattr(executor, "wait", wait_and_end_the_pause)
    (trial,) = work(study, executor, pause_then_stop).records
    assert kinds.count(StudyPaused) == kinds.count(StudyResumed) == 1
    assert (trial.state, len(told(trial.run, RunPaused))) == ("interrupted", 1)


@pytest.mark.parametrize("name", EACH)
def test_a_killed_study_loses_and_repeats_nothing(
    name: str, command: Callable[..., Any], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Killed in the middle of a trial; another process does the rest, that trial included."""
    where = ""
    if name == "ray":
        where = f"--executor ray --ray-address {request.getfixturevalue('ray_cluster').address}"
    process = command(f"{LONG} -p lr=0.1,0.03,0.01 -p batch_size=16,32 {where}")
    done = [json.loads(process.stdout.readline()) for _ in range(2)]
    process.send_signal(signal.SIGKILL)
    out, _ = process.communicate()
    done += map(json.loads, out.splitlines())
    again = command(f"tune --no-ui --json --resume latest {where}")
    out, err = again.communicate()
    *rest, end = map(json.loads, out.splitlines())
    assert (again.returncode, err, end["trials"], end["completed"]) == (0, "", 6, 6)
    assert sorted(trial["trial"] for trial in done + rest) == list(range(6))
    assert {tuple(trial["params"].values()) for trial in done + rest} == {
        (lr, batch) for lr in (0.1, 0.03, 0.01) for batch in (16, 32)
    }
    runs: list[Run] = all_runs(open_study(tmp_path / "runs", "latest").folder.trials_dir)
    begun = sorted(len(told(run.path, RunStarted)) for run in runs)
    assert begun in ([1] * 6, [1] * 7, [1] * 5 + [2])
