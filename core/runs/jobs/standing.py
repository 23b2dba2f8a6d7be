"""How a run stands whose job waits, has just started, or has died: its log alone does not know."""

from core.runs.jobs.record import JobRecord
from core.slurm.job import SlurmJob
from core.slurm.reasons import ending
from core.status import Status

__all__ = ["standing", "standing_after", "stopped_by_slurm"]

RESUME = "it can be resumed"
OF_SLURM = ("PREEMPTED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY", "DEADLINE")
"""States of jobs that Slurm has ended by itself; a run that it asks first has saved."""


def standing(record: JobRecord, updated: float, *, held: bool, locks: bool) -> tuple[Status, str] | None:
    """Return the status of a run that has not recorded its end, and what went wrong; None leaves it to log and lock.

    Args:
        updated: time of its latest event; 0 without one.
        held: whether a process holds its lock.
        locks: whether its disk has locks; without them nobody seems to hold it.
    """
    job = record.job
    if job.has_ended:  # its node may be gone, and its lock with it
        return "interrupted", _died(job)
    if held:
        return None
    if job.waits:
        return "pending", ""
    if not updated or max(job.start, record.submitted) > updated:
        return "preparing", ""
    return None if locks else ("running", "")


def standing_after(record: JobRecord, finished: float) -> tuple[Status, str] | None:
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
    started = record.submitted > finished or (job.start > finished and job.state != "COMPLETED")
    if job.has_ended and started:
        return "interrupted", _died(job)
    return None


def stopped_by_slurm(record: JobRecord) -> str:
    """Return why Slurm has ended the job of a run that could still save and stop; empty if it has not."""
    return _died(record.job) if record.job.state in OF_SLURM else ""


def _died(job: SlurmJob) -> str:
    return f"its job {job.id} {ending(job)}; {RESUME}"
