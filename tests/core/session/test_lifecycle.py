"""Start, resume and end of a run before it is trained: what gets a folder, and what its log says."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.config import schema as configuration
from core.config.schema import TrainConfig
from core.control import RunControl
from core.data.dataset import Progress, no_progress
from core.errors import DataError, RunError, RunLocked
from core.events import Event, RunFinished, RunStarted
from core.runs.creating import create_run
from core.runs.folder import Run, all_runs
from core.runs.lock import hold
from core.runs.log import EventLog, LogReader
from core.runs.requests import claimed
from core.runs.summary import summarise
from core.session import session
from core.session.lifecycle import StartedRun, start_or_resume

CONFIG = configuration.from_dict(
    {
        "data": "iris",
        "model": "mlp",
        "training": {"epochs": 2, "batch_size": 50, "device": "cpu", "threads": 1},
    }
)

Prepare = Callable[[Progress], session.Prepared]


def start(
    runs_dir: Path,
    prepare: Prepare,
    run: Run | None = None,
    config: TrainConfig = CONFIG,
    control: RunControl | None = None,
) -> StartedRun | None:
    control = control or RunControl()
    with claimed(run, control):
        return start_or_resume(
            config, run, runs_dir, prepare=prepare, on_progress=no_progress, control=control
        )


def prepare_iris(progress: Progress) -> session.Prepared:
    return session.prepare(CONFIG, None, progress)


def fail(progress: Progress) -> session.Prepared:
    raise DataError("my.csv is not there", "Give another")


def stopping(control: RunControl) -> Prepare:
    """A preparation that is asked to stop halfway."""

    def prepare(progress: Progress) -> session.Prepared:
        progress("downloading", 1, 2)
        control.stop()
        progress("downloading", 2, 2)
        pytest.fail("was not stopped")

    return prepare


def log(run: Run, *events: Event) -> None:
    writer = EventLog(run)
    for event in events:
        writer.write(event)
    writer.close()


def ends(run: Run) -> list[tuple[str, str]]:
    """The ends that a log records, with their reasons."""
    if not run.log_file.exists():
        return []
    events = LogReader(run.log_file).read()
    return [(event.status, event.error) for event in events if isinstance(event, RunFinished)]


def complete_run(runs_dir: Path) -> Run:
    run = create_run(runs_dir, CONFIG)
    facts: dict[str, Any] = {
        "samples": {},
        "classes": [],
        "sample_shape": [4],
        "parameters": 1,
        "monitor": "loss",
    }
    counts: dict[str, Any] = {"threads": 1, "epochs": 2, "steps_per_epoch": 1, "epoch": 0, "step": 0}
    where: dict[str, Any] = {"device": "cpu", "pid": 1, "host": "here", "task": "multiclass"}
    started = RunStarted(config=configuration.to_dict(CONFIG), **facts, **counts, **where)
    log(run, started, RunFinished(status="completed"))
    return run


def test_a_new_run_gets_its_folder_once_it_is_prepared_and_trains(tmp_path: Path) -> None:
    def prepare(progress: Progress) -> session.Prepared:
        assert all_runs(tmp_path) == []
        return prepare_iris(progress)

    started = start(tmp_path, prepare)
    assert started is not None
    assert (started.is_new, started.state) == (True, None)
    assert all_runs(tmp_path) == [started.run]
    finished = started.train(emit=lambda event: None, control=RunControl())
    assert finished.status == summarise(started.run).status == "completed"


def test_a_new_run_that_another_process_takes_first_is_not_trained_here(tmp_path: Path) -> None:
    """In the moment between its folder and its lock, `--resume latest` may come elsewhere."""
    started = start(tmp_path, prepare_iris)
    assert started is not None
    with hold(started.run), pytest.raises(RunLocked, match="is being trained by process"):
        started.train(emit=lambda event: None, control=RunControl())
    assert ends(started.run) == []
    log(started.run, RunFinished(status="completed"))
    with pytest.raises(RunLocked, match="was trained by another process meanwhile"):
        started.train(emit=lambda event: None, control=RunControl())
    assert ends(started.run) == [("completed", "")]


def test_a_run_resumes_from_its_checkpoint(tmp_path: Path) -> None:
    control = RunControl()
    control.stop()
    first = start(tmp_path, prepare_iris)
    assert first is not None
    assert first.train(emit=lambda event: None, control=control).status == "stopped"
    second = start(tmp_path, prepare_iris, first.run)
    assert second is not None
    assert second.state is not None
    assert (second.run, second.is_new, second.state["progress"]["step"]) == (first.run, False, 1)


def test_a_new_run_that_cannot_be_prepared_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"my\.csv is not there"):
        start(tmp_path, fail)
    assert all_runs(tmp_path) == []


def test_a_new_run_that_is_stopped_before_it_trains_leaves_nothing(tmp_path: Path) -> None:
    control = RunControl()
    assert start(tmp_path, stopping(control), control=control) is None
    assert all_runs(tmp_path) == []


def test_a_stop_right_after_the_preparation_counts(tmp_path: Path) -> None:
    control = RunControl()

    def prepare(progress: Progress) -> session.Prepared:
        control.stop()
        return prepare_iris(no_progress)

    assert start(tmp_path, prepare, control=control) is None
    assert all_runs(tmp_path) == []


def test_the_log_of_a_run_says_why_it_could_not_be_resumed(tmp_path: Path) -> None:
    run = create_run(tmp_path, CONFIG)
    with pytest.raises(DataError):
        start(tmp_path, fail, run)
    assert ends(run) == [("failed", "my.csv is not there. Give another")]


def test_the_log_of_a_run_says_that_it_was_stopped_before_it_trained(tmp_path: Path) -> None:
    run, control = create_run(tmp_path, CONFIG), RunControl()
    assert start(tmp_path, stopping(control), run, control=control) is None
    assert ends(run) == [("stopped", "")]


def test_a_complete_run_stays_complete_when_there_is_nothing_to_train_or_it_is_stopped(
    tmp_path: Path,
) -> None:
    run, control = complete_run(tmp_path), RunControl()
    with pytest.raises(RunError, match="is complete"):
        start(tmp_path, prepare_iris, run)
    longer = CONFIG.model_copy(update={"training": CONFIG.training.model_copy(update={"epochs": 9})})
    assert start(tmp_path, stopping(control), run, longer, control) is None
    assert ends(run) == [("completed", "")]


def test_an_error_of_the_programs_own_is_not_the_runs(tmp_path: Path) -> None:
    def broken_pipe(progress: Progress) -> session.Prepared:
        raise BrokenPipeError

    run = create_run(tmp_path, CONFIG)
    with pytest.raises(BrokenPipeError):
        start(tmp_path, broken_pipe, run)
    assert ends(run) == []
