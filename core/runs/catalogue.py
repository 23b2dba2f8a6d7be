"""All runs of a folder and how they stand, kept up to date at little cost while runs come, grow and go."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.runs.folder import Run, run_places
from core.runs.jobs.record import JOB
from core.runs.labels import LABELS
from core.runs.lock import is_held
from core.runs.summary import RunSummary, summarise
from core.status import is_active, is_ended

__all__ = ["Catalogue", "Changes"]

FIRST_BATCH = 100
"""More than a screen shows; later batches are larger, since whoever takes them sorts all runs again."""

Changes = dict[str, RunSummary | None]
"""By the id of the run: how it stands now, or None if it is gone."""
Stamp = tuple[int, ...]


@dataclass(frozen=True)
class _Seen:
    """State of a run when it was last read; `stamp` is empty without a log, labels and job."""

    stamp: Stamp
    summary: RunSummary


class Catalogue:
    """Looks at a folder of runs again and again. One thread at a time may do so.

    Args:
        runs_dir: where runs live; it need not exist.
    """

    def __init__(self, runs_dir: Path) -> None:
        self.runs_dir = runs_dir
        self._seen: dict[str, _Seen] = {}

    def changes(self) -> Iterator[Changes]:
        """Yield what is new since the last call, newest runs first, in growing batches: the first comes at once.

        A run is read again when its log has changed. One that has not ended is read again, too, when a process
        has started or stopped training it.

        Raises:
            RunError: the folder cannot be read.
        """
        places = run_places(self.runs_dir)
        gone = self._seen.keys() - places.keys()
        batch: Changes = dict.fromkeys(gone)
        for name in gone:
            del self._seen[name]
        for name, place in places.items():
            summary = self._changed(name, place)
            if summary is not None:
                batch[name] = summary
            if len(batch) >= max(FIRST_BATCH, len(self._seen) - len(batch)):
                yield batch
                batch = {}
        if batch:
            yield batch

    def with_open_jobs(self) -> list[Run]:
        """Return the runs whose job had not ended when they were read last."""
        seen = (before.summary for before in self._seen.values())
        return [one.run for one in seen if one.job is not None and not one.job.job.has_ended]

    def _changed(self, name: str, place: str) -> RunSummary | None:
        """Return the summary of a run, if it may have changed."""
        stamp, before = _stamp(place), self._seen.get(name)
        if before is not None and before.stamp == stamp and not _began_or_ceased(before.summary):
            return None
        run = Run(Path(place))
        if not stamp and not os.path.lexists(run.path):  # deleted since it was listed
            return None
        summary = summarise(run)
        self._seen[name] = _Seen(stamp, summary)
        return summary if before is None or summary != before.summary else None


def _stamp(folder: str) -> Stamp:
    """Return a value that changes whenever the log, the labels or the job of a run do; empty if it has none."""
    stamp: Stamp = ()
    for place, file in enumerate((f"{folder}/events.jsonl", f"{folder}/{LABELS}", f"{folder}/{JOB}")):
        try:
            if place and not os.access(file, os.F_OK):  # most have none, and an exception takes longer
                continue
            found = os.stat(file)
        except OSError:
            continue
        stamp += place, found.st_ino, found.st_size, found.st_mtime_ns
    return stamp


def _began_or_ceased(before: RunSummary) -> bool:
    """Return whether a process holds a run that none held, or the other way round; the tools of copies hold none."""
    if is_ended(before.status) or before.log:
        return False
    return is_held(before.run) != is_active(before.status)
