"""A run in the queue of the user, as a host."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from core.config.schema import TrainConfig
from core.errors import DeviceError
from core.events import RunFinished
from core.runs.folder import all_runs
from core.runs.log import EventLog
from tui.runtime.feed import RunFeed
from tui.runtime.hosts import queued
from tui.runtime.hosts.host import WantedRun
from tui.runtime.hosts.queued import Queued
from tui.runtime.user_queue.entries import Entry, Lineup, added, removed, replaced


class Book:
    """The queue in memory, with a run of somebody else's ahead."""

    def __init__(self) -> None:
        other = Entry(id=0, words=("train",), folder=".", title="other")
        self.lineup = added(Lineup(note="waits for 1 free GPU"), other)

    def add_runs(self, wanted: Sequence[WantedRun], gpus: int | None) -> list[Entry]:
        for _ in wanted:
            entry = Entry(id=0, words=("train",), folder=".", title="mine", gpus=gpus)
            self.lineup = added(self.lineup, entry)
        return [*self.lineup.entries[-len(wanted) :]]

    def remove(self, number: int) -> None:
        self.lineup = removed(self.lineup, number)


@pytest.fixture
def book(monkeypatch: pytest.MonkeyPatch) -> Book:
    book = Book()
    monkeypatch.setattr(queued, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(queued, "add_runs", book.add_runs)
    monkeypatch.setattr(queued, "remove", book.remove)
    monkeypatch.setattr(queued, "read_lineup", lambda: book.lineup)
    return book


def test_a_run_waits_for_its_turn_and_is_followed_then(book: Book, tmp_path: Path) -> None:
    started = Queued(gpus_needed=2).start(WantedRun(TrainConfig(), tmp_path, None))
    (run,) = all_runs(tmp_path)
    assert started.message == f"{run.id} is entry 2 of the queue"
    assert book.lineup.entries[-1].gpus == 2
    feed = RunFeed(started.host)
    assert (feed.status, started.host.note) == ("pending", "waits behind 1 other in the queue")

    book.remove(1)
    feed.poll()
    assert started.host.note == "next in the queue: waits for 1 free GPU"

    (mine,) = book.lineup.entries
    book.lineup = replaced(book.lineup, mine.model_copy(update={"state": "running"}))
    log = EventLog(run)
    log.write(RunFinished(status="completed"))
    log.close()
    feed.poll()
    assert (feed.status, started.host.note) == ("completed", "")


def test_a_run_that_waits_is_taken_out_of_the_queue_when_it_is_stopped(book: Book, tmp_path: Path) -> None:
    feed = RunFeed(Queued().start(WantedRun(TrainConfig(), tmp_path, None)).host)
    feed.host.request("stop")
    feed.poll()
    assert [entry.title for entry in book.lineup.entries] == ["other"]
    assert feed.status == "interrupted"


@pytest.mark.slow
def test_a_run_that_the_queue_refuses_leaves_no_folder(
    book: Book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(wanted: Sequence[WantedRun], gpus: int | None) -> list[Entry]:
        raise DeviceError("2 GPUs are needed, and this machine has 0")

    monkeypatch.setattr(queued, "add_runs", refuse)
    with pytest.raises(DeviceError):
        Queued(gpus_needed=2).start(WantedRun(TrainConfig(), tmp_path, None))
    with pytest.raises(DeviceError):
        Queued().start_all([WantedRun(TrainConfig(), tmp_path, None)] * 3, ("--folds", "3"))
    assert all_runs(tmp_path) == []
