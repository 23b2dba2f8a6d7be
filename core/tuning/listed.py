"""Studies as rows of a list of runs: read from their folders alone, without their storage."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic.dataclasses import dataclass

from core.errors import RunError
from core.files.lock import LockState, lock_state
from core.metrics import lower_is_better
from core.runs.catalogue import Catalogue
from core.runs.folder import Run, all_runs
from core.runs.jobs.record import job_of
from core.runs.labels import read_labels
from core.runs.query.fields import number_of, score
from core.runs.summary import RunSummary, summarise
from core.tuning.study.folder import StudyFolder, all_studies, started

__all__ = ["StudyList", "StudySummary", "summarise_study"]


@dataclass(frozen=True)
class StudySummary(RunSummary):
    """A study among runs: its folder in place of a run's.

    Attributes:
        status: ``running`` while a process works on it, ``pending`` while its workers are about to; else
            ``completed``, whether all of its trials are done or not.
        job: the array of its workers that has come furthest; None where all have ended.
        config: the data of its trials alone.
        monitor, metrics: those of its best trial.
        trials: how many were started.
    """

    trials: int = 0

    @property
    def study(self) -> str:
        """Its own name: a filter by study finds it with its trials."""
        return self.run.id


def summarise_study(folder: StudyFolder, trials: Sequence[RunSummary] | None = None) -> StudySummary:
    """Summarise a study now; what cannot be read is left out.

    Args:
        trials: its trials, where they are known.
    """
    if trials is None:
        trials = [summarise(run) for run in all_runs(folder.trials_dir)]
    data = next((trial.config["data"] for trial in trials if "data" in trial.config), None)
    best, record = best_trial(trials), job_of(Run(folder.path))
    job = record if record is not None and not record.job.has_ended else None
    return StudySummary(
        Run(folder.path),
        "running" if _is_active(folder) else "pending" if job is not None else "completed",
        config={} if data is None else {"data": data},
        labels=read_labels(folder.path),
        monitor=best.monitor if best else "loss",
        metrics=best.metrics if best else {},
        started=started(folder),
        trials=len(trials),
        job=job,
    )


def best_trial(trials: Iterable[RunSummary]) -> RunSummary | None:
    """Return the trial with the best monitored value, or with the best score where their losses differ."""
    known = [trial for trial in trials if trial.metrics]
    if not known:
        return None
    metric = known[0].monitor
    if metric == "loss" and len({str(trial.config.get("loss", {}).get("name")) for trial in known}) > 1:
        metric = (score(known[0].metrics) or ("loss", 0.0))[0]
    found = [(value, trial) for trial in known if (value := number_of(trial.metrics.get(metric))) is not None]
    if not found:
        return None
    choose = min if lower_is_better(metric) else max
    return choose(found, key=lambda pair: pair[0])[1]


def _is_active(folder: StudyFolder) -> bool:
    return any(lock_state(path) is LockState.HELD for path in _files(folder.processes_dir))


class StudyList:
    """The studies of a folder of runs, looked at again and again. One thread at a time may do so.

    Attributes:
        problems: one line for each study whose trials could not be read last, by its name: those seen before count.
    """

    def __init__(self, runs_dir: Path) -> None:
        self.runs_dir = runs_dir
        self.problems: dict[str, str] = {}
        self._seen: dict[str, StudySummary] = {}
        self._trials: dict[str, _Trials] = {}

    def changes(self) -> dict[str, StudySummary | None]:
        """Return by name what is new since the last call; None for a study that is gone."""
        folders = [StudyFolder(self.runs_dir / folder.name) for folder in all_studies(self.runs_dir)]
        self._trials = {
            folder.name: self._trials.get(folder.name) or _Trials(folder.trials_dir) for folder in folders
        }
        found = {folder.name: summarise_study(folder, self._trials[folder.name].now()) for folder in folders}
        self.problems = {name: trials.problem for name, trials in self._trials.items() if trials.problem}
        changes: dict[str, StudySummary | None] = dict.fromkeys(self._seen.keys() - found)
        changes |= {name: summary for name, summary in found.items() if self._seen.get(name) != summary}
        self._seen = found
        return changes

    def with_open_jobs(self) -> list[Run]:
        """Return the folders of the studies whose workers had not ended when they were read last."""
        return [one.run for one in self._seen.values() if one.job is not None]


class _Trials:
    """The trials of a study, each read again when its log has changed.

    Attributes:
        problem: why those seen last are returned; empty where all could be read.
    """

    def __init__(self, folder: Path) -> None:
        self._catalogue = Catalogue(folder)
        self._known: dict[str, RunSummary] = {}
        self.problem = ""

    def now(self) -> list[RunSummary]:
        """Return all trials; those seen last where the folder cannot be read."""
        self.problem = ""
        try:
            for changes in self._catalogue.changes():
                for name, summary in changes.items():
                    if summary is None:
                        self._known.pop(name, None)
                    else:
                        self._known[name] = summary
        except RunError as error:
            self.problem = f"{error.message}; its trials are shown as they were seen last"
        return list(self._known.values())


def _files(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []
