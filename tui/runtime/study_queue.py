"""Jobs of Slurm that work on a study, or wait to: what its folder knows of them, and Slurm."""

import time
from pathlib import Path

from core.runs.folder import Run
from core.runs.jobs.following import ask_about_jobs
from core.runs.jobs.last_words import last_words
from core.runs.jobs.record import JobRecord, foremost, jobs_of, write_jobs
from core.runs.references import STUDY
from core.slurm.job import SlurmJob
from core.slurm.reasons import ending
from core.tuning.study.folder import StudyFolder
from tui.runtime.study_process import is_worked_on
from tui.terminal.jobs import jobs_text

__all__ = [
    "drop_waiting",
    "lost_workers",
    "note_workers",
    "queue_text",
    "waiting_studies",
    "waiting_workers",
    "workers",
    "workers_now",
]


def workers(folder: StudyFolder) -> tuple[SlurmJob, ...]:
    """Return the arrays of workers of a study that are not over, as its folder knows, the `foremost` first."""
    # Those of an earlier array may run while one that was submitted later waits.
    records = [record for record in jobs_of(Run(folder.path)) if not record.job.has_ended]
    first = foremost(records)
    ordered = sorted(records, key=lambda record: record is not first)
    return tuple(record.job for record in ordered)


def workers_now(folder: StudyFolder) -> tuple[SlurmJob, ...]:
    """Return `workers` after Slurm was asked; what was known before where it does not answer."""
    ask_about_jobs([Run(folder.path)])
    return workers(folder)


def note_workers(folder: StudyFolder, array: str) -> None:
    """Note that an array of workers was submitted for a study; of earlier ones those are kept that are not over.

    Raises:
        RunError: it cannot be written.
    """
    now, run = time.time(), Run(folder.path)
    ask_about_jobs([run])
    before = [record for record in jobs_of(run) if not record.job.has_ended]
    write_jobs(run, [*before, JobRecord(SlurmJob(array, "PENDING"), now, now, ours=True)])


def lost_workers(folder: StudyFolder) -> str:
    """Return how the last workers of a study ended, if none is left and they were not done; else an empty text."""
    records = jobs_of(Run(folder.path))
    if not records or any(not record.job.has_ended for record in records):
        return ""
    job = records[-1].job
    if job.state == "COMPLETED":
        return ""
    consoles = [
        path for path in folder.path.glob("worker-*.log") if path.name.startswith(f"worker-{job.id}_")
    ]
    last = max(consoles, key=_written, default=None)
    told = last_words(last, job.start) if last is not None and job.state == "FAILED" else ""
    return f"job {job.id} of its workers {ending(job)}{f': {told}' if told else ''}"


def _written(console: Path) -> float:
    """Return when a file was written last, in seconds since 1970; 0 for one that is gone."""
    try:
        return console.stat().st_mtime
    except OSError:
        return 0.0


def drop_waiting(folder: StudyFolder) -> None:
    """Note that no array of workers waits any more; those that run are kept.

    Raises:
        RunError: it cannot be written.
    """
    run = Run(folder.path)
    write_jobs(run, [record for record in jobs_of(run) if record.job.runs])


def queue_text(folder: StudyFolder) -> str:
    """Return where the workers of a study stand, as its folder knows; empty without any, or if it is worked on."""
    jobs = workers(folder)
    return jobs_text(jobs, time.time()) if jobs and not is_worked_on(folder) else ""


def waiting_workers(folder: StudyFolder) -> str:
    """Return `queue_text` after Slurm was asked."""
    ask_about_jobs([Run(folder.path)])
    return queue_text(folder)


def waiting_studies(runs_dir: Path) -> list[str]:
    """Return a line for each study that only waits for its workers, after Slurm was asked."""
    # The folder is not resolved: those above it may be another user's, which may not be entered by their names.
    found = sorted(runs_dir.glob(f"{STUDY}*"), reverse=True)
    folders = [StudyFolder(path) for path in found if path.is_dir() and not path.is_symlink()]
    ask_about_jobs(Run(folder.path) for folder in folders)
    texts = {folder.name: queue_text(folder) for folder in folders}
    return [f"{name}  pending  {text}" for name, text in texts.items() if text]
