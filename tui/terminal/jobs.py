"""Where the job of a run stands, in one line."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.counting import counted
from core.slurm.job import SlurmJob
from core.slurm.reasons import ending, waiting
from tui.terminal.text import clean, duration

if TYPE_CHECKING:
    from core.slurm.forecast import Forecast

__all__ = ["forecast_text", "job_text", "jobs_text"]

SOON_SECONDS = 60.0
"""A start so near is one at once: Slurm plans in steps."""


def job_text(job: SlurmJob, now: float) -> str:
    """Return a job's place in the queue and its expected start, its nodes and time, or how it ended.

    Args:
        now: seconds since 1970.
    """
    return clean(f"job {job.id or 'being submitted'} {_standing(job, now)}")


def forecast_text(forecast: "Forecast", now: float) -> str:
    """Return how many jobs wait before a job that is not submitted yet, and when it is expected to start.

    Args:
        now: seconds since 1970.
    """
    ahead = f"{counted(forecast.waiting, 'job')} ahead" if forecast.waiting else "no job ahead"
    if not forecast.start:
        start = "no estimate of its start"
    elif forecast.start - now < SOON_SECONDS:
        start = "estimated start now"
    else:
        start = f"estimated start {_clock(forecast.start, now)}"
    return clean(f"{ahead} in {forecast.partition}, {start}")


def jobs_text(jobs: Sequence[SlurmJob], now: float) -> str:
    """Return where the first of some jobs stands, and how many more there are."""
    more = f", and {counted(len(jobs) - 1, 'more job')}" if len(jobs) > 1 else ""
    return f"{job_text(jobs[0], now)}{more}"


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
