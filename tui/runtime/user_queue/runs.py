"""Runs that wait in the queue: their log and lock alone do not tell that they do."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from core.errors import TorchtuiError
from core.runs.folder import Run
from core.runs.summary import RunSummary
from core.status import is_resumable
from tui.runtime.user_queue.leaving import take_out
from tui.runtime.user_queue.store import read_lineup

__all__ = ["as_queued", "leave_queue", "place_in_queue", "waiting_runs"]


def waiting_runs() -> dict[Path, int]:
    """Return the numbers of the entries that wait, by the path of their run; none where the queue cannot be read."""
    try:
        waiting = read_lineup().of("waiting")
    except TorchtuiError:  # the queue itself says so
        return {}
    return {Path(entry.run): entry.id for entry in waiting if entry.run}


def as_queued(summary: RunSummary, waiting: Mapping[Path, int]) -> RunSummary:
    """Return the summary of a run, which is ``pending`` while it waits in the queue.

    Args:
        waiting: from `waiting_runs`.
    """
    if not waiting or not (summary.status == "preparing" or is_resumable(summary.status)):
        return summary
    if summary.run.path.resolve() not in waiting:
        return summary
    return replace(summary, status="pending", error="")


def place_in_queue(run: Run) -> int:
    """Return the number of the entry with which a run waits; 0 if it does not."""
    return waiting_runs().get(run.path.resolve(), 0)


def leave_queue(run: Run) -> bool:
    """Take a run that waits out of the queue, and return whether it did.

    Raises:
        TorchtuiError: the queue cannot be written, or it has started meanwhile.
    """
    number = place_in_queue(run)
    if not number:
        return False
    take_out(number)
    return True
