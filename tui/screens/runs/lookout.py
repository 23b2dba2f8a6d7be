"""News of the runs, the studies and other tools' logs of a folder, read piece by piece on a thread."""

import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

from core.runs.catalogue import Catalogue, Changes
from core.runs.folder import Run
from core.runs.summary import summarise
from core.tuning.listed import StudyList, StudySummary
from core.tuning.study.folder import StudyFolder
from tui.runtime.hosts.job_host import JobAsker
from tui.runtime.user_queue.runs import as_queued, waiting_runs

if TYPE_CHECKING:
    from core.interop.readers.importing import Importer

__all__ = ["Found", "Looked", "Lookout", "StudiesFound"]


class Found(Message):
    """Some runs, or trials of a study, are new, changed or gone."""

    def __init__(self, changes: Changes, study: str = "") -> None:
        super().__init__()
        self.changes, self.study = changes, study


class StudiesFound(Message):
    """Some studies are new, changed or gone."""

    def __init__(self, changes: dict[str, StudySummary | None]) -> None:
        super().__init__()
        self.changes = changes


class Looked(Message):
    """A look at all runs is over."""

    def __init__(self, seconds: float, problem: Exception | None) -> None:
        super().__init__()
        self.seconds, self.problem = seconds, problem


class Lookout:
    """Keeps what it has seen of a folder of runs.

    Args:
        show_after: seconds after which runs that other tools' logs have brought are reported before all are read.
    """

    def __init__(self, runs_dir: Path, show_after: float) -> None:
        self.runs_dir, self._show_after = runs_dir, show_after
        self._catalogue, self._studies = Catalogue(runs_dir), StudyList(runs_dir)
        self._trials: dict[str, Catalogue] = {}
        self._importer: Importer | None = None
        self._asker = JobAsker()
        self._waiting: dict[Path, int] = {}

    @property
    def problems(self) -> list[str]:
        """Lines on what could not be read: folders that were not searched for logs, trials of studies."""
        limit = self._importer.problems.get(self.runs_dir, "") if self._importer else ""
        return [*([limit] if limit else []), *self._studies.problems.values()]

    def look(
        self, wanted: Callable[[], Collection[str]], should_stop: Callable[[], bool]
    ) -> Iterator[Found | StudiesFound]:
        """Yield what is new: runs, studies, and the trials of those studies whose trials are wanted.

        Raises:
            RunError, OSError: the folder cannot be read.
        """
        yield from self._queued()
        yield from map(self._found, self._catalogue.changes())
        yield from self._logs(should_stop)
        if changes := self._studies.changes():
            yield StudiesFound(changes)
        self._asker.ask([*self._catalogue.with_open_jobs(), *self._studies.with_open_jobs()])
        for study in wanted():
            if study in self._studies.problems:  # reported; those seen before stay
                continue
            folder = StudyFolder(self.runs_dir / study).trials_dir
            trials = self._trials.setdefault(study, Catalogue(folder))
            yield from (Found(changes, study) for changes in trials.changes())

    def _queued(self) -> Iterator[Found]:
        """Yield the runs that now wait in the queue of the user, or no longer do."""
        before, self._waiting = self._waiting, waiting_runs()
        here = self.runs_dir.resolve()
        moved = [
            Run(self.runs_dir / path.name) for path in before.keys() ^ self._waiting if path.parent == here
        ]
        if moved:
            yield self._found({run.id: summarise(run) for run in moved if run.path.exists()})

    def _found(self, changes: Changes) -> Found:
        return Found({name: one and as_queued(one, self._waiting) for name, one in changes.items()})

    def _logs(self, should_stop: Callable[[], bool]) -> Iterator[Found]:
        """Yield what is new of other tools' logs, while they are read."""
        from core.interop.readers.importing import (
            Importer,
        )  # loads NumPy, which the first paint does not wait for

        self._importer = self._importer or Importer(self.runs_dir)
        shown, has_copies = time.monotonic(), False
        for _ in self._importer.look():
            if should_stop():
                return
            has_copies = True
            if time.monotonic() - shown > self._show_after:
                yield from map(self._found, self._catalogue.changes())
                shown = time.monotonic()
        if has_copies:  # else all were just looked at
            yield from map(self._found, self._catalogue.changes())
