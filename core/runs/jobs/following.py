"""Jobs of runs asked about at Slurm, all with one question, and cancelled."""

import os
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace

from pydantic import ValidationError

from core.control import Request
from core.errors import RunError, TorchtuiError
from core.runs.folder import Run
from core.runs.jobs.record import JobRecord, job_of, jobs_of, write_job, write_jobs
from core.runs.lock import has_locks, is_held
from core.runs.requests import post, send
from core.runs.summary import RunSummary, summarise
from core.slurm.client import cancel, find_jobs
from core.slurm.commands import missing
from core.slurm.job import FORGOTTEN, SlurmJob

__all__ = ["ask_about_jobs", "asked_anew", "end_jobs", "request_of_job"]

FRESH_SECONDS = 60.0
"""A job that was submitted so recently may not be known to every part of Slurm."""
WAIT_SECONDS = 0.2
ORDER_SECONDS = 20.0
"""For which torchrun may end by itself once all processes of a run have."""
ASK_SECONDS = 2.0
"""How often Slurm is asked meanwhile."""


def ask_about_jobs(runs: Iterable[Run]) -> str:
    """Ask Slurm about the jobs of runs that have not ended, and note what has changed in the runs' folders.

    Returns:
        Why nothing is known now, in one line; empty if Slurm answered, or there was nothing to ask.
    """
    asked = {run: [record.job.id for record in jobs_of(run) if _is_open(record)] for run in runs}
    asked = {run: ids for run, ids in asked.items() if ids}
    if not asked:
        return ""
    if reason := missing():
        return reason
    try:
        found = find_jobs(id for ids in asked.values() for id in ids)
    except TorchtuiError as error:
        return error.message
    now = time.time()
    for run in asked:
        records = jobs_of(run)  # again: another job may have been submitted since
        after = [_now(record, found.get(record.job.id), now) for record in records]
        if after != [*records]:
            with suppress(RunError):
                write_jobs(run, after)
    return ""


def _is_open(record: JobRecord) -> bool:
    """Return whether Slurm is to be asked about a job."""
    return bool(record.job.id) and not record.job.has_ended


def _now(record: JobRecord, job: SlurmJob | None, now: float) -> JobRecord:
    """Return what is known of a job after Slurm has answered, with or without it."""
    if not _is_open(record):
        return record
    if job is None:
        if now - record.submitted < FRESH_SECONDS:
            return record
        job = replace(record.job, state=FORGOTTEN, reason="")
    return replace(record, job=job, asked=now) if _has_changed(record.job, job) else record


def asked_anew(summaries: Iterable[RunSummary]) -> tuple[list[RunSummary], str]:
    """Return the summaries of runs after Slurm was asked about their jobs, and why it was asked in vain, if it was."""
    found = list(summaries)
    waiting = [summary.run for summary in found if summary.job is not None and not summary.job.job.has_ended]
    problem = ask_about_jobs(waiting)
    return [summarise(summary.run) if summary.run in waiting else summary for summary in found], problem


def request_of_job(run: Run, request: Request) -> bool:
    """Send a request to a run in a job; one that waits is cancelled when it is asked to stop.

    Returns:
        Whether a process trained it then, as far as its disk tells.

    Raises:
        RunError: nothing trains it, or Slurm refuses.
        SlurmSilent: Slurm does not answer.
    """
    record, trained = job_of(run), is_held(run) or not has_locks(run)
    if record is None or is_held(run) or record.job.has_ended:
        send(run, request)
    elif record.job.runs:  # it has just started, or its disk has no locks
        post(run, request)
    elif request != "stop":
        raise RunError(f"{run.id} waits in the queue of Slurm", "Wait for it to start")
    else:
        _cancel(run, record.job.id)
    return trained


def end_jobs(asked: Mapping[Run, bool], seconds: float) -> bool:
    """Cancel the jobs of runs that were asked to stop, as soon as they have saved, which ends whatever else they do.

    Args:
        asked: the runs, each with whether a process trained it then, as `request_of_job` says.
        seconds: to wait for all of them at most; the job of one that has not saved by then is left alone.

    Returns:
        Whether all jobs are over, or never were the runs' own.
    """
    records = {run: record for run in asked if (record := job_of(run)) is not None}
    jobs = {run: record for run, record in records.items() if record.ours and not record.job.has_ended}
    deadline, saved, are_over = time.monotonic() + seconds, list[Run](), True
    for run in sorted(jobs, key=lambda run: asked[run]):  # those first that would begin to train
        while is_held(run) and time.monotonic() < deadline:
            time.sleep(WAIT_SECONDS)
        if is_held(run):
            are_over = False
        elif asked[run] and _has_launcher(jobs[run]):
            saved.append(run)
        else:
            _cancel(run, jobs[run].job.id)
    _await_launchers(saved)
    for run in saved:
        _cancel(run, jobs[run].job.id)
    return are_over


def _has_launcher(record: JobRecord) -> bool:
    """Return whether torchrun starts the processes of a job; cancelled before it ends, it prints a traceback."""
    from core.slurm.settings import SlurmSettings  # lists of runs do without it

    try:
        settings = SlurmSettings.model_validate(record.settings)
    except ValidationError:  # of another version
        return False
    return settings.nodes * settings.launched_per_node > 1


def _await_launchers(runs: list[Run]) -> None:
    """Wait until the jobs of runs that have saved are over, all at once, for `ORDER_SECONDS` at most."""
    deadline = time.monotonic() + ORDER_SECONDS
    while runs:
        ask_about_jobs(runs)
        runs = [run for run in runs if (record := job_of(run)) is not None and not record.job.has_ended]
        left = deadline - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(ASK_SECONDS, left) if runs else 0)


def _cancel(run: Run, job: str) -> None:
    """Cancel a job of the run's own, and note that, unless it has ended or given way to another one meanwhile."""
    record = job_of(run)
    if record is None or record.job.id != job or record.job.has_ended:
        return
    if not record.ours:
        raise RunError(f"job {job} was not started for {run.id} alone", "Cancel it with scancel")
    cancel(job)
    record = job_of(run)  # again: it may have started, or another one been submitted, since
    if record is None or record.job.id != job or record.job.has_ended:
        return
    start = 0 if record.job.waits else record.job.start  # it was only expected
    state = f"CANCELLED by {os.getuid()}"  # as the accounting says
    gone = replace(record.job, state=state, reason="", ahead=None, start=start)
    write_job(run, replace(record, job=gone, asked=time.time()))


def _has_changed(before: SlurmJob, now: SlurmJob) -> bool:
    """Return whether a job stands differently; the time that it has run does not count."""
    return replace(before, elapsed=0) != replace(now, elapsed=0)
