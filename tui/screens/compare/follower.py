"""Rereads the compared runs, on one thread at a time."""

from collections.abc import Sequence
from pathlib import Path

from core.runs.comparison.entries import Entry, EntryReader
from core.runs.comparison.groups import grouped, key_of
from core.runs.comparison.standings import standings
from core.runs.folder import Run, all_runs
from core.runs.summary import summarise

__all__ = ["SPLITS", "Follower", "first_choice"]

SPLITS = ("validation", "test")
FIRST_RUNS = 4
LOOKED_AT = 50
"""Number of newest runs from which the initial choice is made."""


class Follower:
    """Keeps a reader for each run, so that only new entries are read."""

    def __init__(self) -> None:
        self._readers: dict[Run, EntryReader] = {}

    def read(self, runs: Sequence[Run]) -> list[Entry]:
        """Return the state of these runs, in their order; unchanged runs keep the same objects."""
        self._readers = {run: self._readers.get(run) or EntryReader(run) for run in runs}
        entries = [self._readers[run].read() for run in runs]
        groups = grouped(entries)
        for split in SPLITS:
            standings(groups, split)  # compared here, on a thread, and kept for the screen
        return entries


def first_choice(runs_dir: Path) -> dict[Run, str]:
    """Return the newest run with results, and the newest others on the same data, each with its `key_of`.

    Several seeds of one configuration count as one.

    Raises:
        RunError: the folder cannot be read.
    """
    summaries = [summarise(run) for run in all_runs(runs_dir)[:LOOKED_AT]]
    known = [summary for summary in summaries if summary.epoch]
    found: dict[Run, str] = {}
    taken: set[str] = set()
    for summary in known:
        key = key_of(summary.config)
        if summary.data == known[0].data and (len(taken) < FIRST_RUNS or key in taken):
            found[summary.run] = key
            taken.add(key or summary.run.id)
    return found
