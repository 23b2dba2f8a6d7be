"""The budget of agents: what is given, what counts, and that nothing gets beyond it."""

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.errors import RunError
from core.files.lock import FileLock
from core.files.reading import open_plain
from core.runs.agents import grants
from core.runs.agents.calls import AgentCall, calls_of, note_call
from core.runs.agents.grants import Grant, give_back, left, take
from core.runs.agents.guard import GRANT, guard_this_process
from core.runs.agents.session import (
    AGENTS,
    Budget,
    Session,
    allow_again,
    current_session,
    open_session,
    stop_session,
)
from core.runs.folder import all_runs

HOUR = Budget(60, 5)


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return open_session(tmp_path, HOUR)


def given(session: Session, minutes: float | None = None, runs: int = 1) -> Grant:
    return take(session, minutes, runs, client="test", tool="start")


def process_of(grant: Grant, seconds_after: float) -> FileLock:
    """Make the file of a process that gave its last sign of life so long after its grant."""
    lock = FileLock(open_plain(grant.folder / "process-1-ab", os.O_RDWR | os.O_CREAT))
    os.utime(lock.handle, (0, grant.given + seconds_after))
    return lock


def test_what_was_given_counts_in_full_while_it_may_be_used(session: Session) -> None:
    first = given(session, 20)
    assert left(session) == Budget(40, 4)
    with process_of(first, 60):
        assert left(session) == Budget(40, 4)
    assert left(session).minutes == pytest.approx(59, abs=0.01)
    assert left(session).runs == 4


def test_a_killed_server_leaves_no_more(session: Session, tmp_path: Path) -> None:
    """The rest is read from the folder: a server that is started again gets the same answer."""
    given(session, 20, 2)
    again = open_session(tmp_path, HOUR)
    assert again.folder == session.folder
    assert left(again) == Budget(40, 3)


@pytest.mark.parametrize(
    ("minutes", "runs", "words"),
    [(61, 1, "Ask for at most 60"), (None, 6, "Ask for at most 5")],
)
def test_more_than_there_is(session: Session, minutes: float | None, runs: int, words: str) -> None:
    with pytest.raises(RunError, match=words):
        given(session, minutes, runs)
    assert left(session) == HOUR


def test_a_budget_that_is_used_up(session: Session) -> None:
    given(session, 60)
    with pytest.raises(RunError, match=r"used up: 60\.0 of 60 minutes and 1 of 5 runs"):
        given(session)


def test_many_at_once_get_no_more_together(session: Session) -> None:
    def one(number: int) -> float:
        try:
            return given(session, 25).minutes
        except RunError:
            return 0.0

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(one, range(6))) == [0, 0, 0, 0, 25, 25]


def test_what_nothing_was_started_with_goes_back(session: Session) -> None:
    give_back(given(session, 30, 3))
    assert left(session) == HOUR


def test_work_that_never_showed_itself(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    given(session, 30)
    monkeypatch.setattr(grants, "STARTING_SECONDS", 0)
    assert left(session) == Budget(60, 4)


def test_less_time_where_little_is_left(session: Session) -> None:
    given(session, 56)
    assert given(session).minutes == pytest.approx(2)


def test_new_limits_count_for_what_was_used_before(session: Session, tmp_path: Path) -> None:
    given(session, 20, 4)
    assert left(open_session(tmp_path, Budget(30, 3))) == Budget(10, 0)


def test_a_stopped_session_starts_nothing_until_the_user_allows_it(session: Session, tmp_path: Path) -> None:
    before = given(session, 20)
    stop_session(session)
    for _ in range(2):  # as a server that is started again
        with pytest.raises(RunError, match="the user has stopped"):
            given(open_session(tmp_path, HOUR))
    assert before.session_stopped
    allow_again(session)
    assert current_session(tmp_path) is None
    assert left(open_session(tmp_path, HOUR)) == HOUR


def test_a_session_lasts_a_day(session: Session, tmp_path: Path) -> None:
    given(session)
    values = json.loads((session.folder / "session.json").read_text())
    (session.folder / "session.json").write_text(json.dumps(values | {"started": time.time() - 25 * 3600}))
    assert current_session(tmp_path) is None


@pytest.mark.parametrize("file", ["session.json", "grants/1/grant.json"])
def test_a_damaged_budget_is_not_a_new_one(session: Session, tmp_path: Path, file: str) -> None:
    given(session)
    (session.folder / file).write_text("{")
    with pytest.raises(RunError, match="cannot be read"):
        given(open_session(tmp_path, HOUR))


def test_a_process_without_time_does_not_start(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    grant = given(session)
    monkeypatch.setenv(GRANT, str(grant.folder))
    stop_session(session)
    with pytest.raises(RunError, match="not started: the user has stopped"):
        guard_this_process()
    (grant.folder / "grant.json").unlink()
    with pytest.raises(RunError, match="cannot be read"):
        guard_this_process()


def test_calls_are_lines_that_survive_damage(session: Session) -> None:
    note_call(
        session,
        AgentCall(1.0, "client", "start_run", "data: iris\n" + "x" * 1000, "try", "started", runs=("a",)),
    )
    with open(session.folder / "calls.jsonl", "a") as file:
        file.write("{torn\n[1]\n")
    note_call(session, AgentCall(2.0, "client", "stop_run", "", "", "refused", ok=False))
    first, second = calls_of(session)
    assert (first.time, first.tool, first.ok, first.runs) == (1.0, "start_run", True, ("a",))
    assert first.asked.startswith("data: iris x")
    assert len(first.asked) == 300
    assert not second.ok


def test_lists_of_runs_do_not_show_sessions(session: Session, tmp_path: Path) -> None:
    assert (tmp_path / AGENTS).is_dir()
    assert all_runs(tmp_path) == []
