"""Workers of a study that wait in the queue of Slurm: what its folder knows of them, and Slurm."""

import time
from pathlib import Path

from core.runs.folder import Run
from core.runs.jobs.following import ask_about_jobs
from core.runs.jobs.record import JobRecord, forget_job, job_of, write_job
from core.runs.references import STUDY
from core.slurm.job import SlurmJob
from core.tuning.study.folder import StudyFolder
from tui.runtime.study_process import is_worked_on
from tui.terminal.jobs import job_text

__all__ = ["forget_workers", "note_workers", "queue_text", "waiting_studies", "waiting_workers"]


def note_workers(folder: StudyFolder, array: str) -> None:
    """Note which array of workers was submitted for a study last.

    Raises:
        RunError: it cannot be written.
    """
    now = time.time()
    write_job(Run(folder.path), JobRecord(SlurmJob(array, "PENDING"), now, now, ours=True))


def forget_workers(folder: StudyFolder) -> None:
    """Note that no workers wait for a study."""
    forget_job(Run(folder.path))


def queue_text(folder: StudyFolder) -> str:
    """Return where the workers of a study stand in the queue, as its folder knows; empty if a process works on it."""
    record = job_of(Run(folder.path))
    if record is None or not record.job.waits or is_worked_on(folder):
        return ""
    return job_text(record.job, time.time())


def waiting_workers(folder: StudyFolder) -> str:
    """Return `queue_text` after Slurm was asked."""
    ask_about_jobs([Run(folder.path)])
    return queue_text(folder)


def waiting_studies(runs_dir: Path) -> list[str]:
    """Return a line for each study whose workers all wait, after Slurm was asked."""
    # The folder is not resolved: those above it may be another user's, which may not be entered by their names.
    found = sorted(runs_dir.glob(f"{STUDY}*"), reverse=True)
    folders = [StudyFolder(path) for path in found if path.is_dir() and not path.is_symlink()]
    ask_about_jobs(Run(folder.path) for folder in folders)
    texts = {folder.name: queue_text(folder) for folder in folders}
    return [f"{name}  pending  {text}" for name, text in texts.items() if text]
