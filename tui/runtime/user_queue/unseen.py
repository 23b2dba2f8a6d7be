"""Entries whose process nobody watches, since the one that started it was killed: which run, and how others ended."""

import time
from collections.abc import Collection
from pathlib import Path

from core.files.reading import read_tail
from core.runs.folder import Run
from core.runs.lock import is_held
from core.runs.summary import summarise
from core.status import has_failed, is_active, is_starting
from tui.runtime.user_queue.entries import ENDED, Entry, Lineup, replaced
from tui.runtime.user_queue.store import announced_file, held_entry, pid_of

__all__ = ["end_of", "is_complete", "lives", "run_of", "with_those_that_run", "with_those_that_train"]

UNKNOWN = "unknown"
"""Devices of what this queue has not started."""


def run_of(entry: Entry) -> Run | None:
    """Return the run that an entry resumes, or that its process has made; None where it has not come to that."""
    if entry.run:
        return Run(Path(entry.run))
    named = read_tail(announced_file(entry.id)).splitlines()
    return Run(Path(named[0])) if named and entry.words[0] == "train" else None


def lives(entry: Entry) -> bool:
    """Return whether the process of an entry lives that another process has started, or its run trains elsewhere."""
    run = run_of(entry)
    return held_entry(entry) or (run is not None and is_held(run))


def is_complete(entry: Entry) -> bool:
    """Return whether nothing is left to do, since the run of an entry was completed elsewhere after it was added."""
    if not entry.run:
        return False
    summary = summarise(Run(Path(entry.run)), as_left=True)
    # One that was complete before may have got more epochs; if not, its command says so.
    return summary.status == "completed" and summary.updated > entry.added


def end_of(entry: Entry) -> str:
    """Return how an entry has ended whose exit code nobody has seen: as its run says."""
    run = run_of(entry)
    if run is None:
        return "ended"
    status = summarise(run).status
    return "failed" if has_failed(status) else status if status in ENDED else "interrupted"


def with_those_that_run(lineup: Lineup) -> Lineup:
    """Return the queue with what was started by a process that was killed before it could note that."""
    for entry in lineup.of("waiting"):
        if pid := pid_of(entry):
            lineup = replaced(lineup, _running(entry, pid))
    return lineup


def with_those_that_train(lineup: Lineup, held: Collection[int]) -> Lineup:
    """Return the queue with those as running that wait although another process trains their run: none starts twice.

    Args:
        held: numbers of those whose run another process holds, be it only to look at it.
    """
    for entry in lineup.of("waiting"):
        if entry.id in held and _trains(Run(Path(entry.run))):
            lineup = replaced(lineup, _running(entry, 0))
    return lineup


def _trains(run: Run) -> bool:
    status = summarise(run).status
    return is_active(status) and not is_starting(status)


def _running(entry: Entry, pid: int) -> Entry:
    known = {"state": "running", "pid": pid, "started": time.time(), "devices": UNKNOWN}
    return entry.model_copy(update=known)
