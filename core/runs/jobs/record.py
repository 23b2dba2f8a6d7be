"""The job of a run: ``job.json`` in its folder, written by whoever submits it, starts in it, or asks Slurm about it.

A study may have several at once, arrays of workers: then it is a list, in the order in which they were submitted.
"""

import json
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from core.errors import RunError
from core.files.atomic import write_atomically
from core.files.reading import read_bytes
from core.runs.folder import Run
from core.slurm.job import SlurmJob

__all__ = [
    "JOB",
    "JobRecord",
    "foremost",
    "forget_job",
    "job_of",
    "jobs_of",
    "note_job",
    "write_job",
    "write_jobs",
]

JOB = "job.json"
MAX_BYTES = 100_000


@dataclass(frozen=True)
class JobRecord:
    """The latest job of a run, as it was seen last.

    Attributes:
        submitted: seconds since 1970 when it was submitted, or started to train the run.
        asked: seconds since 1970 when Slurm said this.
        ours: whether the job is there for this run alone, so that it may be cancelled with it.
        settings: of a job of ours, as `core.slurm.settings.SlurmSettings` has them, those that are not the usual ones.
    """

    job: SlurmJob
    submitted: float
    asked: float
    ours: bool = False
    settings: dict[str, Any] = field(default_factory=dict)


RECORDS: TypeAdapter[JobRecord | tuple[JobRecord, ...]] = TypeAdapter(JobRecord | tuple[JobRecord, ...])


def job_of(run: Run) -> JobRecord | None:
    """Return the job of a run; None if it has none, or what its folder says of it is damaged.

    Of several jobs of a study it is the `foremost`.
    """
    return foremost(jobs_of(run))


def foremost(records: Sequence[JobRecord]) -> JobRecord | None:
    """Return the job that has come furthest: one that runs, else one that waits, else the last; None of none."""
    unfinished = [record for record in records if record.job.runs] or [
        record for record in records if record.job.waits
    ]
    return next(iter([*unfinished, *records[-1:]]), None)


def jobs_of(run: Run) -> tuple[JobRecord, ...]:
    """Return all jobs that the folder of a run or a study names; none if what it says of them is damaged."""
    if not os.path.isfile(_file(run)):
        return ()
    try:
        found = RECORDS.validate_python(json.loads(read_bytes(_file(run), limit=MAX_BYTES)))
    except (OSError, ValueError, ValidationError, RecursionError):
        return ()
    return found if isinstance(found, tuple) else (found,)


def write_job(run: Run, record: JobRecord) -> None:
    """Write what is known of a run's job now.

    Raises:
        RunError: it cannot be written.
    """
    write_jobs(run, [record])


def write_jobs(run: Run, records: Sequence[JobRecord]) -> None:
    """Write what is known now of the jobs of a study, or of the one of a run.

    Raises:
        RunError: it cannot be written.
    """
    text = RECORDS.dump_json(records[0] if len(records) == 1 else tuple(records))
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
        settings = before.settings if ours and before is not None else {}
        write_job(run, JobRecord(job, now, now, ours, settings))


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
