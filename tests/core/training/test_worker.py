"""Training on a background thread: started, paused, gone on with, stopped, and never lost from sight."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from core.config import schema as configuration
from core.control import RunControl
from core.events import (
    CheckpointSaved,
    EpochFinished,
    Event,
    Notice,
    RunFinished,
    RunPaused,
    RunResumed,
    RunStarted,
)
from core.runs.folder import Run
from core.runs.summary import summarise
from core.training.worker import TrainingWorker
from tests.support.narrow import instance

LONG = 60.0
"""Seconds that no test waits for, unless what it waits for never comes."""


class Watched:
    """A worker that trains a run for ever, and what it says, to wait for."""

    def __init__(self, runs_dir: Path, epochs: int) -> None:
        from core.session import session

        values = {
            "data": "iris",
            "model": "mlp",
            "training": {"epochs": epochs, "device": "cpu", "threads": 1},
        }
        prepared = session.prepare(configuration.from_dict(values), None, lambda what, done, total: None)
        self.run = session.new_run(prepared, runs_dir)
        self.worker = TrainingWorker(self.train)
        self.seen: list[Event] = []
        self.news = threading.Condition()
        self.prepared = prepared

    def train(self, emit: Callable[[Event], None], control: RunControl) -> RunFinished:
        from core.session import session

        def tell(event: Event) -> None:
            emit(event)
            with self.news:
                self.seen.append(event)
                self.news.notify_all()

        return session.execute(self.prepared, self.run, emit=tell, control=control)

    def wait_for(self, kind: type[Event]) -> Event:
        """The first event of a kind that was not waited for yet."""
        with self.news:
            assert self.news.wait_for(lambda: any(isinstance(event, kind) for event in self.seen), LONG)
            while not isinstance(event := self.seen.pop(0), kind):
                pass
            return event


@pytest.fixture
def endless(tmp_path: Path) -> Watched:
    return Watched(tmp_path / "runs", epochs=1_000_000)


def test_a_run_from_start_to_end(tmp_path: Path) -> None:
    watched = Watched(tmp_path / "runs", epochs=2)
    worker = watched.worker
    assert not worker.join(0)
    worker.start()
    assert worker.join(LONG)
    events = worker.drain()
    assert isinstance(events[0], RunStarted)
    assert isinstance(events[-1], RunFinished)
    assert [event.epoch for event in events if isinstance(event, EpochFinished)] == [1, 2]
    assert worker.drain() == []
    assert worker.error is None
    assert worker.finished.is_set()


def test_pause_checkpoint_resume_and_stop(endless: Watched) -> None:
    worker = endless.worker
    worker.start()
    endless.wait_for(EpochFinished)

    worker.pause()
    paused = endless.wait_for(RunPaused)
    assert isinstance(paused, RunPaused)
    assert summarise(endless.run).status == "paused"
    worker.checkpoint()
    saved = endless.wait_for(CheckpointSaved)
    if isinstance(saved, CheckpointSaved) and saved.kind == "best":
        saved = endless.wait_for(CheckpointSaved)
    assert isinstance(saved, CheckpointSaved)
    assert (saved.kind, saved.step) == ("last", paused.step)
    assert not worker.join(0)

    worker.resume()
    resumed = endless.wait_for(RunResumed)
    assert isinstance(resumed, RunResumed)
    assert resumed.step == paused.step, "nothing was trained in the pause"
    endless.wait_for(EpochFinished)
    assert summarise(endless.run).status == "running"

    worker.stop()
    assert worker.join(LONG)
    assert instance(RunFinished, worker.drain()[-1]).status == "stopped"
    assert summarise(endless.run).status == "stopped"


def test_a_paused_run_can_be_stopped(endless: Watched) -> None:
    endless.worker.pause()
    endless.worker.start()
    endless.wait_for(RunPaused)
    endless.worker.stop()
    assert endless.worker.join(LONG)
    assert instance(RunFinished, endless.worker.drain()[-1]).status == "stopped"


def test_a_checkpoint_is_saved_when_asked_for(endless: Watched) -> None:
    endless.worker.checkpoint()
    endless.worker.start()
    saved = endless.wait_for(CheckpointSaved)
    assert saved == CheckpointSaved(kind="last", epoch=0, step=1, time=saved.time)
    endless.worker.stop()
    assert endless.worker.join(LONG)


def test_an_exception_of_the_job_is_kept() -> None:
    def job(emit: Callable[[Event], None], control: RunControl) -> RunFinished:
        emit(Notice(level="info", message="before"))
        raise MemoryError("too large")

    worker = TrainingWorker(job)
    worker.start()
    assert worker.join(LONG)
    assert isinstance(worker.error, MemoryError)
    assert [instance(Notice, event).message for event in worker.drain()] == ["before"]


def test_a_worker_does_not_keep_the_process_alive() -> None:
    worker = TrainingWorker(lambda emit, control: RunFinished(status="completed"))
    assert worker._thread.daemon


def test_a_worker_runs_once() -> None:
    worker = TrainingWorker(lambda emit, control: RunFinished(status="completed"))
    worker.start()
    assert worker.join(LONG)
    with pytest.raises(RuntimeError):
        worker.start()


# -- control ---------------------------------------------------------------------------------------------------


def test_control_says_what_was_asked_for() -> None:
    control = RunControl()
    assert not control.attention
    control.pause()
    assert bool(control.attention)
    assert bool(control.paused)
    control.resume()
    assert not bool(control.attention)
    control.checkpoint()
    assert bool(control.attention)
    assert control.take_checkpoint_request()
    assert not control.take_checkpoint_request()
    control.pause()
    control.stop()
    assert bool(control.attention)
    assert bool(control.stop_requested)
    assert not bool(control.paused), "stop ends a pause"
    control.wait_while_paused()


@pytest.mark.slow
def test_another_process_asks_through_the_folder_of_the_run(endless: Watched) -> None:
    from core.runs.requests import send

    endless.worker.start()
    endless.wait_for(EpochFinished)
    send(Run(endless.run.path), "pause")
    endless.wait_for(RunPaused)
    send(endless.run, "resume")
    endless.wait_for(RunResumed)
    send(endless.run, "stop")
    assert endless.worker.join(LONG)
    assert instance(RunFinished, endless.worker.drain()[-1]).status == "stopped"
