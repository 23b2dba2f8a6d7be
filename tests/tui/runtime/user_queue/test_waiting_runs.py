"""Runs that wait in the queue, as lists show them, and as they are followed and stopped."""

from dataclasses import replace
from pathlib import Path

import pytest

from core.config.schema import TrainConfig
from core.runs.creating import create_run
from core.runs.folder import Run
from core.runs.lock import hold
from core.runs.summary import RunSummary, summarise
from tui.runtime.hosts.host import WantedRun
from tui.runtime.hosts.job_host import follower, stop_job
from tui.runtime.user_queue import adding
from tui.runtime.user_queue.entries import Lineup
from tui.runtime.user_queue.places import Start, starts_of
from tui.runtime.user_queue.runs import as_queued, waiting_runs
from tui.runtime.user_queue.store import read_lineup
from tui.screens.runs.lookout import Found, Lookout


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run that waits in a paused queue."""
    monkeypatch.setenv("TUI_CONFIG", str(tmp_path / "config" / "settings.json"))
    runs_dir = tmp_path / "runs"
    run = create_run(runs_dir, TrainConfig())
    with hold(run):
        pass
    adding.pause()
    adding.add_run(WantedRun(TrainConfig(), runs_dir, None, run=run), 0)
    return run


def test_it_is_pending_unless_something_trains_it(run: Run) -> None:
    found = summarise(run)
    assert found.status == "interrupted"
    queued = as_queued(found, waiting_runs())
    assert (queued.status, queued.error) == ("pending", "")
    running = replace(found, status="running")
    assert as_queued(running, waiting_runs()) is running
    other = replace(found, run=create_run(run.path.parent, TrainConfig()))
    assert as_queued(other, waiting_runs()) is other


def test_a_list_shows_that_it_waits_and_that_it_no_longer_does(run: Run) -> None:
    lookout = Lookout(run.path.parent, 1.0)

    def seen() -> list[RunSummary | None]:
        looked = lookout.look(lambda: (), lambda: False)
        return [
            found.changes[run.id] for found in looked if isinstance(found, Found) and run.id in found.changes
        ]

    assert {one and one.status for one in seen()} == {"pending"}
    assert seen() == []
    stop_job(run)
    assert read_lineup().entries == ()
    assert [one and one.status for one in seen()] == ["interrupted"]


def test_it_starts_after_the_end_of_another(run: Run) -> None:
    ahead = create_run(run.path.parent, TrainConfig())
    entry = adding.add_run(WantedRun(TrainConfig(), run.path.parent, None, run=run), 0, after=ahead.path)
    lineup = Lineup(entries=(entry,))
    with hold(ahead):
        assert starts_of(lineup, ()) == ([], f"waits for the end of {ahead.id}")
    assert starts_of(lineup, ()) == ([Start(entry)], "")


def test_it_is_followed_in_the_queue(run: Run) -> None:
    host = follower(run)
    assert (host.starting, host.note) == ("pending", "next in the queue")
    assert host.alive
