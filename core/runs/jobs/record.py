"""The job of a run: ``job.json`` in its folder, written by whoever submits it, starts in it, or asks Slurm about it."""

import json
import os
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from core.errors import RunError
from core.files.atomic import write_atomically
from core.files.reading import read_bytes
from core.runs.folder import Run
from core.slurm.job import SlurmJob

__all__ = ["JOB", "JobRecord", "forget_job", "job_of", "note_job", "write_job"]

JOB = "job.json"
MAX_BYTES = 100_000


@dataclass(frozen=True)
class JobRecord:
    """The latest job of a run, as it was seen last.

    Attributes:
        submitted: seconds since 1970 when it was submitted, or started to train the run.
        asked: seconds since 1970 when Slurm said this.
        ours: whether the job is there for this run alone, so that it may be cancelled with it.
    """

    job: SlurmJob
    submitted: float
    asked: float
    ours: bool = False


RECORD = TypeAdapter(JobRecord)


def job_of(run: Run) -> JobRecord | None:
    """Return the job of a run; None if it has none, or what its folder says of it is damaged."""
    if not os.path.isfile(_file(run)):
        return None
    try:
        return RECORD.validate_python(json.loads(read_bytes(_file(run), limit=MAX_BYTES)))
    except (OSError, ValueError, ValidationError, RecursionError):
        return None


def write_job(run: Run, record: JobRecord) -> None:
    """Write what is known of a run's job now.

    Raises:
        RunError: it cannot be written.
    """
    text = RECORD.dump_json(record)
    write_atomically(_file(run), lambda file: file.write(text))


def forget_job(run: Run) -> None:
    """Note that a run has no job; where nothing can be written, do nothing."""
    with suppress(OSError):
        _file(run).unlink(missing_ok=True)


def note_job(run: Run) -> None:
    """Note in which job this process trains a run, or that it is none; where nothing can be written, do nothing."""
    with suppress(RunError, OSError):
        job, now = _job_of_this_process(), time.time()
        if job is None:
            forget_job(run)
            return
        before = job_of(run)
        ours = before is not None and before.ours and before.job.id in (job.id, "")
        if before is not None and before.job.id == job.id:
            job = replace(job, limit=before.job.limit)
        write_job(run, JobRecord(job, now, now, ours))


def _file(run: Run) -> Path:
    return run.path / JOB


def _job_of_this_process() -> SlurmJob | None:
    """Return the job that Slurm started this process in; None outside of one."""
    id, array = os.environ.get("SLURM_JOB_ID", ""), os.environ.get("SLURM_ARRAY_JOB_ID", "")
    if not id:
        return None
    return SlurmJob(
        f"{array}_{os.environ.get('SLURM_ARRAY_TASK_ID', '')}" if array else id,
        "RUNNING",
        start=int(time.time()),
        nodes=os.environ.get("SLURM_JOB_NODELIST", ""),
        partition=os.environ.get("SLURM_JOB_PARTITION", ""),
    )
