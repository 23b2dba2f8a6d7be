"""The queue as plain data, changed by functions that return another one."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from core.errors import InputError

__all__ = ["ENDED", "Entry", "Lineup", "Move", "added", "entry_of", "moved", "removed", "replaced"]

Move = Literal["up", "down", "first"]
State = Literal["waiting", "running", "completed", "stopped", "failed", "interrupted", "ended"]
ENDED = ("completed", "stopped", "failed", "interrupted", "ended")
MAX_ENDED = 20
"""Entries that are kept after their end."""


class Entry(BaseModel):
    """A command that waits, runs, or has ended.

    Attributes:
        state: ``ended`` where nobody has seen how.
        id: its number, never used again. words: of the command, after ``tui``.
        folder: where it is executed. title: what lists call it.
        gpus: that it needs; None for one where this machine has some, 0 for none.
        variables: of its environment, beside those of the process that starts it.
        run: path of the run that it resumes; empty where that is not known.
        after: path of a run whose end it waits for first; empty for none.
        devices: that it runs on, such as ``cpu``. uuids: of its GPUs.
        pid: of its process; 0 before that has started. started, ended: seconds since 1970; 0 before.
        code: exit code; None before its end, or where nobody has seen it.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: int
    words: tuple[str, ...]
    folder: str
    title: str
    gpus: int | None = None
    variables: dict[str, str] = {}
    run: str = ""
    after: str = ""
    added: float = 0.0
    state: State = "waiting"
    devices: str = ""
    uuids: tuple[str, ...] = ()
    pid: int = 0
    started: float = 0.0
    ended: float = 0.0
    code: int | None = None


class Lineup(BaseModel):
    """The whole queue: those that wait in their order, those that run, and the last ones that have ended.

    Attributes:
        paused: nothing more is started. slots: runs at once on the processor.
        note: what those that wait are waiting for, one line.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    entries: tuple[Entry, ...] = ()
    paused: bool = False
    slots: int = 1
    note: str = ""
    next_id: int = 1

    def of(self, *states: str) -> tuple[Entry, ...]:
        """Return the entries in some states."""
        return tuple(entry for entry in self.entries if entry.state in states)


def added(lineup: Lineup, entry: Entry) -> Lineup:
    """Return the queue with an entry at its end, which gets the next number."""
    numbered = entry.model_copy(update={"id": lineup.next_id})
    return lineup.model_copy(update={"entries": (*lineup.entries, numbered), "next_id": lineup.next_id + 1})


def entry_of(lineup: Lineup, number: int, *states: str) -> Entry:
    """Return an entry.

    Raises:
        InputError: there is none of that number, or it is in another state.
    """
    found = next((entry for entry in lineup.entries if entry.id == number), None)
    if found is None:
        raise InputError(f"the queue has no entry {number}")
    if states and found.state not in states:
        raise InputError(f"entry {number} of the queue is {found.state}, not {' or '.join(states)}")
    return found


def moved(lineup: Lineup, number: int, move: Move) -> Lineup:
    """Return the queue with a waiting entry before or behind its neighbour, or before all that wait.

    Raises:
        InputError: it does not wait.
    """
    entry_of(lineup, number, "waiting")
    waiting = list(lineup.of("waiting"))
    place = next(place for place, entry in enumerate(waiting) if entry.id == number)
    last = len(waiting) - 1
    to = {"up": max(0, place - 1), "down": min(last, place + 1), "first": 0}[move]
    waiting.insert(to, waiting.pop(place))
    ordered = iter(waiting)
    entries = tuple(next(ordered) if entry.state == "waiting" else entry for entry in lineup.entries)
    return lineup.model_copy(update={"entries": entries})


def removed(lineup: Lineup, number: int) -> Lineup:
    """Return the queue without an entry.

    Raises:
        InputError: it runs.
    """
    entry_of(lineup, number, "waiting", *ENDED)
    rest = tuple(entry for entry in lineup.entries if entry.id != number)
    return lineup.model_copy(update={"entries": rest})


def replaced(lineup: Lineup, entry: Entry) -> Lineup:
    """Return the queue with another entry of the same number, without the oldest of too many that have ended."""
    entries = [entry if other.id == entry.id else other for other in lineup.entries]
    ended = sorted((one for one in entries if one.state in ENDED), key=lambda one: one.ended)
    old = {one.id for one in ended[: max(0, len(ended) - MAX_ENDED)]}
    return lineup.model_copy(update={"entries": tuple(one for one in entries if one.id not in old)})
