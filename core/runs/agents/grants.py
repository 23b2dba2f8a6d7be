"""Minutes and runs that agents were given of a session's budget, each grant before anything is started with it.

    grants/3/grant.json         what was given, when and for what
    grants/3/process-4711       locked by a process that uses it, and touched every second; see `core.runs.agents.guard`
    grants/3/waits-RUN          there while a run of it waits in the queue of the user

A grant counts in full while a process uses it, or waits to. Once none does, its minutes count up to its last sign of
life, so nothing has to be written when a process ends, however it ends.
"""

import json
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from core.errors import RunError
from core.files.atomic import creating, write_atomically
from core.files.lock import LockState, lock_state
from core.files.reading import read_bytes
from core.runs.agents.session import Budget, Session, alone

__all__ = ["PROCESS", "Grant", "give_back", "grants_of", "left", "no_longer_waits", "read_grant", "take"]

PROCESS: Final = "process-"
WAITS: Final = "waits-"
STARTING_SECONDS = 60.0
"""Time within which the first process of a grant shows itself; until then it is taken for alive."""
SHORTEST = 0.05
"""Minutes below which nothing is worth starting."""
MAX_BYTES = 1_000_000


@dataclass(frozen=True)
class Grant:
    """A part of the budget.

    Attributes:
        given: seconds since 1970.
        minutes, runs: at most so many are used.
        client: name of the program that asked.
        tool: what it asked for.
    """

    folder: Path
    given: float
    minutes: float
    runs: int
    client: str
    tool: str

    @property
    def deadline(self) -> float:
        """When every process that uses it ends, in seconds since 1970."""
        return self.given + 60 * self.minutes

    @property
    def session_stopped(self) -> bool:
        """Return whether the user has stopped the session that it belongs to."""
        return os.path.lexists(self.folder.parent.parent / "stopped")

    @cached_property
    def targets(self) -> tuple[str, ...]:
        """Names of the runs or the study that were started with it."""
        try:
            names = json.loads(read_bytes(self.folder / "started.json", limit=MAX_BYTES))
        except (OSError, ValueError, RecursionError):
            return ()
        return tuple(map(str, names)) if isinstance(names, list) else ()

    def started(self, names: Sequence[str]) -> None:
        """Note what was started with it.

        Raises:
            RunError: that cannot be written.
        """
        text = json.dumps([*names])
        write_atomically(self.folder / "started.json", lambda file: file.write(text.encode()))

    def waits(self, name: str) -> None:
        """Note that a run waits, until its process starts or `no_longer_waits` is called.

        Raises:
            RunError: that cannot be written.
        """
        with creating(self.folder):
            (self.folder / f"{WAITS}{name}").touch()

    @property
    def alive(self) -> bool:
        """Return whether a process uses it, or may yet."""
        now, states = time.time(), [lock_state(path) for path in self._processes()]
        if LockState.HELD in states:  # also behind the deadline, while the machine slept in between
            return True
        if self._is_void or now >= self.deadline:
            return False
        if self._files(WAITS):
            return True
        return LockState.UNSUPPORTED in states if states else now - self.given < STARTING_SECONDS

    @property
    def used(self) -> Budget:
        """Part of it that counts against the budget."""
        if self._is_void:
            return Budget(0.0, 0)
        if self.alive:
            return Budget(self.minutes, self.runs)
        signs = [os.stat(path).st_mtime for path in self._processes()]
        seconds = max(signs, default=self.given) - self.given
        return Budget(min(max(seconds / 60, 0.0), self.minutes), self.runs)

    @property
    def _is_void(self) -> bool:
        return os.path.lexists(self.folder / "void")

    def _processes(self) -> list[Path]:
        return self._files(PROCESS)

    def _files(self, start: str) -> list[Path]:
        try:
            return [self.folder / name for name in os.listdir(self.folder) if name.startswith(start)]
        except OSError:
            return []


def take(
    session: Session, minutes: float | None, runs: int, *, client: str, tool: str, usual: float = 10
) -> Grant:
    """Take a part of the budget; in one step, however many ask at once.

    Args:
        minutes: at most so many are used; None for the `usual` ones, or half of what is left where that is less.
        runs: that will be started with it.

    Raises:
        RunError: the user has stopped the session, or so much is not left.
    """
    with alone(session.folder.parent.parent):
        if session.stopped:
            raise RunError(
                "the user has stopped the agents of this folder of runs", "Only the user can allow them again"
            )
        have = left(session)
        _ensure_left(session.limits, have, minutes, runs)
        grants = session.folder / "grants"
        with creating(grants):
            grants.mkdir(exist_ok=True)
            numbers = [int(name) for name in os.listdir(grants) if name.isdigit()]
            folder = grants / str(max(numbers, default=0) + 1)
            folder.mkdir()
        grant = Grant(folder, time.time(), minutes or min(usual, have.minutes / 2), runs, client, tool)
        values = {
            "given": grant.given,
            "minutes": grant.minutes,
            "runs": runs,
            "client": client,
            "tool": tool,
        }
        text = json.dumps(values)
        write_atomically(folder / "grant.json", lambda file: file.write(text.encode()))
    return grant


def no_longer_waits(folder: Path, name: str) -> None:
    """Note that a run no longer waits.

    Args:
        folder: of the grant. name: as for `Grant.waits`.
    """
    with suppress(OSError):  # it counts as waiting up to the deadline then
        (folder / f"{WAITS}{Path(name).name}").unlink()


def give_back(grant: Grant) -> None:
    """Give back what nothing was started with.

    Raises:
        RunError: its folder cannot be written.
    """
    with creating(grant.folder):
        (grant.folder / "void").touch()


def left(session: Session) -> Budget:
    """Return what is left of the budget of a session."""
    used = [grant.used for grant in grants_of(session)]
    limits = session.limits
    minutes = limits.minutes - sum(one.minutes for one in used)
    return Budget(max(minutes, 0.0), max(limits.runs - sum(one.runs for one in used), 0))


def grants_of(session: Session) -> list[Grant]:
    """Return what was given so far, in order.

    Raises:
        RunError: a grant cannot be read: what is left is not known.
    """
    try:
        numbers = sorted(int(name) for name in os.listdir(session.folder / "grants") if name.isdigit())
    except FileNotFoundError:
        return []
    folders = (session.folder / "grants" / str(number) for number in numbers)
    return [read_grant(folder) for folder in folders if os.path.lexists(folder / "grant.json")]


def read_grant(folder: Path) -> Grant:
    """Return the grant that a folder holds.

    Raises:
        RunError: it cannot be read.
    """
    path = folder / "grant.json"
    try:
        values = json.loads(read_bytes(path, limit=MAX_BYTES))
        given, minutes, runs = float(values["given"]), float(values["minutes"]), int(values["runs"])
        return Grant(folder, given, minutes, runs, str(values["client"]), str(values["tool"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise RunError(f"{path} cannot be read: what is left of the budget is not known") from None


def _ensure_left(limits: Budget, have: Budget, minutes: float | None, runs: int) -> None:
    used = (
        f"{limits.minutes - have.minutes:.1f} of {limits.minutes:g} minutes and "
        f"{limits.runs - have.runs} of {limits.runs} runs are used or held by what still runs"
    )
    if have.minutes < SHORTEST or have.runs < min(runs, 1):
        raise RunError(
            f"the budget is used up: {used}", "Wait for runs that end early, or ask the user for more"
        )
    if runs > have.runs:
        raise RunError(f"asked for {runs} runs: {used}", f"Ask for at most {have.runs}")
    if minutes is not None and minutes > have.minutes:
        raise RunError(f"asked for {minutes:g} minutes: {used}", f"Ask for at most {_down(have.minutes)}")


def _down(minutes: float) -> str:
    return f"{int(minutes * 10) / 10:g}" if minutes >= 0.1 else f"{minutes:.3f}"
