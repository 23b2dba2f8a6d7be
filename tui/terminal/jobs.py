"""Where the job of a run stands, in one line."""

import time

from core.counting import counted
from core.slurm.job import SlurmJob
from core.slurm.reasons import ending, waiting
from tui.terminal.text import clean, duration

__all__ = ["job_text"]


def job_text(job: SlurmJob, now: float) -> str:
    """Return a job's place in the queue and its expected start, its nodes and time, or how it ended.

    Args:
        now: seconds since 1970.
    """
    return clean(f"job {job.id or 'being submitted'} {_standing(job, now)}")


def _standing(job: SlurmJob, now: float) -> str:
    if job.waits:
        ahead = (
            f", {counted(job.ahead, 'job')} ahead"
            if job.ahead
            else ", next in line"
            if job.ahead == 0
            else ""
        )
        start = f", expected to start {_clock(job.start, now)}" if job.start else ""
        return f"{waiting(job)}{ahead}{start}"
    if job.runs:
        spent = duration(max(0.0, now - job.start)) if job.start else ""
        limit = f" of {duration(job.limit)}" if job.limit else ""
        state = "" if job.state == "RUNNING" else f"  {job.state}"
        return f"on {job.nodes or 'its nodes'}  {spent}{limit}{state}"
    return ending(job)


def _clock(moment: float, now: float) -> str:
    """Return a time of day, with the date unless it is within a day."""
    form = "%H:%M" if abs(moment - now) < 86_400 else "%d %b %H:%M"
    return time.strftime(form, time.localtime(moment))
