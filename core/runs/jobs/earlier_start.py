"""Wait for an earlier start of a requeued job that still trains the run: Slurm has lost its node, which works on."""

import os
import time
from collections.abc import Callable

from core.runs.folder import Run
from core.runs.jobs.record import job_of
from core.runs.lock import is_held
from core.runs.requests import post

__all__ = ["await_earlier_start"]

POLL_SECONDS = 1.0


def await_earlier_start(run: Run, report: Callable[[str], None]) -> None:
    """Let an earlier start of this process's job save and stop, and wait until it has; the run resumes from there.

    Where its node is really gone, that lasts until the shared disk has given up the lock that it held.

    Args:
        report: takes a sentence if there is one.

    Raises:
        RunError: the run's folder cannot be written.
    """
    job, record = os.environ.get("SLURM_JOB_ID", ""), job_of(run)
    if os.environ.get("SLURM_RESTART_COUNT", "0") == "0" or record is None or record.job.id != job:
        return
    if is_held(run):
        report(f"an earlier start of job {job} still trains this run: waiting until it has saved and stopped")
    while is_held(run):
        post(run, "stop")
        time.sleep(POLL_SECONDS)
