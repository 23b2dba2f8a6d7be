"""The session of agents in a folder of runs: one at a time, whichever clients and servers take part in it.

    runs/.agents/2026-11-30_095500/
        session.json        when it began, and what the user allows
        calls.jsonl         what was asked for, see `core.runs.agents.calls`
        grants/             minutes and runs that were given, see `core.runs.agents.grants`
        stopped             there once the user has stopped it: nothing starts any more, and what runs saves and stops
        closed              there once the user has allowed a new one

It lasts a day, or until the user closes it. A server that is started again continues it, with what is left.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from core.errors import RunError
from core.files.atomic import creating, write_atomically
from core.files.lock import FileLock
from core.files.reading import open_plain, read_bytes

__all__ = [
    "AGENTS",
    "Budget",
    "Session",
    "allow_again",
    "alone",
    "current_session",
    "open_session",
    "stop_session",
]

AGENTS: Final = ".agents"
FILE: Final = "session.json"
SESSION_SECONDS = 24 * 3600.0
LOCK_SECONDS = 10.0
"""Longest wait for another server that looks at the budget, which takes milliseconds."""
MAX_BYTES = 10_000


@dataclass(frozen=True)
class Budget:
    """Budget of a session, or what is left of it.

    Attributes:
        minutes: of training and other work, summed over all that runs at once.
        runs: that are started; each trial of a study counts.
    """

    minutes: float
    runs: int


@dataclass(frozen=True)
class Session:
    """A session of agents.

    Attributes:
        started: seconds since 1970.
        limits: what the user allows for all of it.
    """

    folder: Path
    started: float
    limits: Budget

    @property
    def stopped(self) -> bool:
        """Return whether the user has stopped it."""
        return os.path.lexists(self.folder / "stopped")

    @property
    def closed(self) -> bool:
        """Return whether it is over: a new one takes its place. One that the user stopped waits for the user."""
        if os.path.lexists(self.folder / "closed"):
            return True
        return not self.stopped and not 0 <= time.time() - self.started < SESSION_SECONDS


def current_session(runs_dir: Path) -> Session | None:
    """Return the session of a folder of runs; None before the first one, and after one that is over.

    Raises:
        RunError: its file is damaged: what it had left is not known.
    """
    sessions = runs_dir / AGENTS
    try:
        names = sorted(os.listdir(sessions), reverse=True)
    except OSError:
        return None
    newest = next((name for name in names if os.path.lexists(sessions / name / FILE)), None)
    session = _read(sessions / newest) if newest else None
    return session if session is not None and not session.closed else None


def open_session(runs_dir: Path, limits: Budget) -> Session:
    """Return the session of a folder of runs with these limits from now on; a new one where there is none.

    Raises:
        RunError: its folder cannot be written, or is damaged.
    """
    with alone(runs_dir):
        session = current_session(runs_dir)
        if session is None:
            session = Session(_new_folder(runs_dir), time.time(), limits)
        elif session.limits == limits:
            return session
        session = replace(session, limits=limits)
        text = json.dumps(
            {"v": 1, "started": session.started, "max_minutes": limits.minutes, "max_runs": limits.runs}
        )
        write_atomically(session.folder / FILE, lambda file: file.write(text.encode()))
    return session


def stop_session(session: Session) -> None:
    """End a session for the user: what runs saves and stops by itself, and nothing more is started in this folder.

    Raises:
        RunError: its folder cannot be written.
    """
    _mark(session.folder / "stopped")


def allow_again(session: Session) -> None:
    """Close a session for the user: agents get a new one, with all of its budget, at their next call.

    Raises:
        RunError: its folder cannot be written.
    """
    _mark(session.folder / "closed")


@contextmanager
def alone(runs_dir: Path) -> Iterator[None]:
    """Context manager in which no other server changes the session or its budget.

    Raises:
        RunError: another one does so for too long, or the folder cannot be written.
    """
    path = runs_dir / AGENTS / "budget.lock"
    with creating(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        until = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                lock = FileLock(open_plain(path, os.O_RDWR | os.O_CREAT))
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise RunError(f"{path} is locked by another process", "Try again") from None
    with lock:
        yield


def _new_folder(runs_dir: Path) -> Path:
    """Make the folder of a session, named by its time, after all others in the order of names."""
    while True:
        folder = runs_dir / AGENTS / time.strftime("%Y-%m-%d_%H%M%S")
        with creating(folder):
            try:
                folder.mkdir()
            except FileExistsError:
                time.sleep(0.1)
                continue
        return folder


def _read(folder: Path) -> Session:
    path = folder / FILE
    try:
        values = json.loads(read_bytes(path, limit=MAX_BYTES))
        limits = Budget(float(values["max_minutes"]), int(values["max_runs"]))
        return Session(folder, float(values["started"]), limits)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise RunError(f"{path} cannot be read", "The user can move its folder away") from None


def _mark(path: Path) -> None:
    with creating(path):
        os.close(open_plain(path, os.O_WRONLY | os.O_CREAT))
