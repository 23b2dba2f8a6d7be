"""How a run stands whose job waits, has just started, or has died: its log alone does not know."""

from core.runs.folder import Run
from core.runs.jobs.last_words import last_words
from core.runs.jobs.record import JobRecord
from core.slurm.job import FORGOTTEN, SlurmJob
from core.slurm.reasons import ending
from core.status import Status

__all__ = ["after_a_stop", "standing", "standing_after"]

RESUME = "it can be resumed"
SUBMIT = "it can be submitted again"
OF_SLURM = ("PREEMPTED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY", "DEADLINE")
"""States of jobs that Slurm has ended by itself; a run that it asks first has saved."""


def standing(
    run: Run, record: JobRecord, updated: float, *, held: bool, locks: bool
) -> tuple[Status, str] | None:
    """Return the status of a run that has not recorded its end, and what went wrong; None leaves it to log and lock.

    Args:
        updated: time of its latest event; 0 without one.
        held: whether a process holds its lock.
        locks: whether its disk has locks; without them nobody seems to hold it.
    """
    job = record.job
    if job.has_ended:  # its node may be gone, and its lock with it
        return "interrupted", _died(run, job, job.start if job.start > updated else None)
    if held:
        return None
    if job.waits:
        return "pending", ""
    if not updated or max(job.start, record.submitted) > updated:
        return "preparing", ""
    return None if locks else ("running", "")


def standing_after(run: Run, record: JobRecord, finished: float) -> tuple[Status, str] | None:
    """Return the status of a run that was stopped, or failed, and has had a job since; None if it has not.

    Args:
        finished: when it recorded its end.
    """
    job = record.job
    if job.waits and record.asked > finished:
        return "pending", ""
    if job.runs and max(job.start, record.submitted) > finished:
        return "preparing", ""
    # A requeued job that dies before its run starts, or is cancelled then, has started since all the same.
    started = job.start > finished and job.state != "COMPLETED" and not job.was_withdrawn
    if job.has_ended and (started or record.submitted > finished):
        return "interrupted", _died(run, job, max(job.start, finished))
    return None


def after_a_stop(run: Run, record: JobRecord, finished: float) -> str:
    """Return what became of the job of a run that saved and stopped: Slurm has ended it, or it was to resume the run.

    Args:
        finished: when the run stopped.

    Returns:
        A sentence; empty where the stop is all that there is to say.
    """
    lost = record.ours and record.job.state == FORGOTTEN  # it may have been requeued meanwhile
    if lost or record.job.was_withdrawn or record.job.state in OF_SLURM:
        return _died(run, record.job, finished)
    return ""


def _died(run: Run, job: SlurmJob, since: float | None) -> str:
    """Return how a job has ended, with what it printed last where it had not come to train its run.

    Args:
        since: seconds since 1970 when it started, or later; None for a job that has trained.
    """
    told = (
        last_words(run.console_file, since)
        if since is not None and job.state in ("FAILED", FORGOTTEN)
        else ""
    )
    remedy = SUBMIT if job.was_withdrawn else RESUME
    return f"its job {job.id} {ending(job)}{f': {told}' if told else ''}; {remedy}"
