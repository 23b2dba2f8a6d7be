"""Studies as rows of a list of runs: read from their folders alone, without their storage."""

from pathlib import Path

from pydantic.dataclasses import dataclass

from core.files.lock import LockState, lock_state
from core.runs.folder import Run, all_runs
from core.runs.labels import read_labels
from core.runs.summary import RunSummary, summarise
from core.tuning.study.folder import StudyFolder, all_studies

__all__ = ["StudyList", "StudySummary", "summarise_study"]


@dataclass(frozen=True)
class StudySummary(RunSummary):
    """A study among runs: its folder in place of a run's.

    Attributes:
        status: ``running`` while a process works on it; else ``completed``, whether all of its trials are done or not.
        config: the data of its trials alone.
        trials: how many were started.
    """

    trials: int = 0

    @property
    def study(self) -> str:
        """Its own name: a filter by study finds it with its trials."""
        return self.run.id


def summarise_study(folder: StudyFolder) -> StudySummary:
    """Summarise a study now; what cannot be read is left out."""
    trials = all_runs(folder.trials_dir)
    first = summarise(trials[-1]).config if trials else {}
    is_active = any(lock_state(path) is LockState.HELD for path in _files(folder.processes_dir))
    return StudySummary(
        Run(folder.path),
        "running" if is_active else "completed",
        config={"data": first["data"]} if "data" in first else {},
        labels=read_labels(folder.path),
        trials=len(trials),
    )


class StudyList:
    """The studies of a folder of runs, looked at again and again. One thread at a time may do so."""

    def __init__(self, runs_dir: Path) -> None:
        self.runs_dir = runs_dir
        self._seen: dict[str, StudySummary] = {}

    def changes(self) -> dict[str, StudySummary | None]:
        """Return by name what is new since the last call; None for a study that is gone."""
        found = {
            folder.name: summarise_study(StudyFolder(self.runs_dir / folder.name))
            for folder in all_studies(self.runs_dir)
        }
        changes: dict[str, StudySummary | None] = dict.fromkeys(self._seen.keys() - found)
        changes |= {name: summary for name, summary in found.items() if self._seen.get(name) != summary}
        self._seen = found
        return changes


def _files(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []
