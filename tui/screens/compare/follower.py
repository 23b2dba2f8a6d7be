"""Rereads the compared runs, on one thread at a time."""

from collections.abc import Sequence
from pathlib import Path

from core.runs.comparison.entries import Entry, EntryReader
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
        for split in SPLITS:
            standings(entries, split)  # compared here, on a thread, and kept for the screen
        return entries


def first_choice(runs_dir: Path) -> list[Run]:
    """Return the newest run with results, and the newest others on the same data.

    Raises:
        RunError: the folder cannot be read.
    """
    summaries = [summarise(run) for run in all_runs(runs_dir)[:LOOKED_AT]]
    known = [summary for summary in summaries if summary.epoch]
    return [summary.run for summary in known if summary.data == known[0].data][:FIRST_RUNS]
