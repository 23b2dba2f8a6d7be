"""All runs of a folder and how they stand, kept up to date at little cost while runs come, grow and go."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.errors import RunError
from core.runs.folder import Run, run_places
from core.runs.jobs.record import JOB
from core.runs.labels import LABELS
from core.runs.lock import is_held
from core.runs.summary import RunSummary, summarise
from core.status import is_active, is_ended

__all__ = ["Catalogue", "Changes"]

RARE = (LABELS, JOB)
"""Files beside the log that few runs have."""
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
        for name, summary in self._news(places):
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

    def _news(self, places: Mapping[str, str]) -> Iterator[tuple[str, RunSummary]]:
        """Yield the runs that are new or changed, by their ids."""
        if not places:
            return
        try:
            here = os.open(self.runs_dir, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:  # it went since it was read
            raise RunError(f"cannot read {self.runs_dir}: {error.strerror}") from None
        try:
            for name, place in places.items():
                stamp, before = _stamp(place, here), self._seen.get(name)
                if before is None or before.stamp != stamp or _began_or_ceased(before.summary):
                    summary = self._read(name, self.runs_dir / place, stamp)
                    if summary is not None and (before is None or summary != before.summary):
                        yield name, summary
        finally:
            os.close(here)

    def _read(self, name: str, path: Path, stamp: Stamp) -> RunSummary | None:
        """Return the summary of a run; None if it was deleted since it was listed."""
        if not stamp and not os.path.lexists(path):
            return None
        summary = summarise(Run(path))
        self._seen[name] = _Seen(stamp, summary)
        return summary


def _stamp(folder: str, here: int) -> Stamp:
    """Return a value that changes whenever the log, the labels or the job of a run do; empty if it has none.

    Args:
        here: the open folder of runs, to which `folder` is relative: the system follows a shorter path.
    """
    stamp = _file_stamp(f"{folder}/events.jsonl", here)
    for place, name in enumerate(RARE, start=1):
        file = f"{folder}/{name}"
        if os.access(file, os.F_OK, dir_fd=here):  # most have none, and an exception takes longer
            stamp += place, *_file_stamp(file, here)
    return stamp


def _file_stamp(file: str, here: int) -> Stamp:
    try:
        found = os.stat(file, dir_fd=here)
    except OSError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _began_or_ceased(before: RunSummary) -> bool:
    """Return whether a process holds a run that none held, or the other way round; the tools of copies hold none."""
    if is_ended(before.status) or before.log:
        return False
    return is_held(before.run) != is_active(before.status)
