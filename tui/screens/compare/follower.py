"""Reads the compared runs again and again, on one thread at a time."""

from collections.abc import Sequence
from pathlib import Path

from core.runs.comparison import Entry, EntryReader
from core.runs.folder import Run, all_runs
from core.runs.summary import summarise

__all__ = ["Follower", "first_choice"]

FIRST_RUNS = 4
LOOKED_AT = 50
"""Newest runs among which the first choice is made."""


class Follower:
    """Keeps a reader for each run, so that only what is new is read."""

    def __init__(self) -> None:
        self._readers: dict[Run, EntryReader] = {}

    def read(self, runs: Sequence[Run]) -> list[Entry]:
        """Read the state of these runs, in their order; the same objects as before where nothing is new."""
        self._readers = {run: self._readers.get(run) or EntryReader(run) for run in runs}
        return [self._readers[run].read() for run in runs]


def first_choice(runs_dir: Path) -> list[Run]:
    """The newest run that has begun to learn, and the newest others on the same data.

    Raises:
        RunError: the folder cannot be read.
    """
    summaries = [summarise(run) for run in all_runs(runs_dir)[:LOOKED_AT]]
    known = [summary for summary in summaries if summary.epoch]
    return [summary.run for summary in known if summary.data == known[0].data][:FIRST_RUNS]
