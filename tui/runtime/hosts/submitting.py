"""Jobs of Slurm that train a run: their script, and how they are submitted."""

import os
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.errors import RunError, RunLocked
from core.files.atomic import write_atomically
from core.remedies import WATCH
from core.runs.folder import Run
from core.runs.jobs.record import JobRecord, forget_job, job_of, write_job
from core.runs.labels import title_of
from core.runs.lock import is_held
from core.safe_path import TUI_COMMAND
from core.slurm.client import submit
from core.slurm.job import SlurmJob
from core.slurm.script import job_script
from core.slurm.settings import SlurmSettings
from core.user_code.trust import AGREED
from tui.runtime.hosts.host import TORCHRUN_MODULE
from tui.runtime.hosts.launching import agreed_digests

__all__ = ["script_of_job", "submit_run"]


def script_of_job(run: Run, settings: SlurmSettings, data_root: Path | None) -> str:
    """Return the script of a job that trains a run, from its last checkpoint or from the start.

    Raises:
        RunError: the path of the run cannot be in a script.
    """
    path = run.path.resolve()
    command = [*TUI_COMMAND, "train", "--no-ui", "--resume", str(path)]
    command += ["--data-root", str(data_root.resolve())] if data_root is not None else []
    try:
        return job_script(
            settings,
            command,
            name=title_of(run.path),
            folder=path,
            output=path / run.console_file.name,
            torchrun=TORCHRUN_MODULE,
        )
    except ValueError as error:
        raise RunError(str(error)) from None


def submit_run(
    run: Run,
    settings: SlurmSettings,
    data_root: Path | None,
    environment: Mapping[str, str] | None = None,
) -> SlurmJob:
    """Submit a job that trains an existing run, from its last checkpoint or from the start.

    Its script is kept in the run's folder, and what it prints goes to the run's console file.

    Args:
        environment: which the job inherits; None for that of this process.

    Raises:
        RunError: Slurm refuses the job, or the run's folder cannot be written.
        RunLocked: a process trains the run.
        SlurmSilent: Slurm does not answer; whether it has taken the job is not known.
    """
    script, now = script_of_job(run, settings, data_root), time.time()
    given = {**(os.environ if environment is None else environment), AGREED: " ".join(agreed_digests(run))}
    before = job_of(run)
    if before is not None and not before.job.has_ended:
        raise RunLocked(f"{run.id} has a job already: {before.job.id}", "Stop it first")
    if is_held(run):
        raise RunLocked(f"{run.id} is being trained", (WATCH,))
    write_atomically(run.path / "job.sh", lambda file: file.write(script.encode()))
    record = JobRecord(SlurmJob("", "PENDING"), now, now, ours=True, settings=_unusual(settings))
    write_job(run, record)  # before it can start
    try:
        job = SlurmJob(submit(script, given), "PENDING")
    except RunError:
        forget_job(run)
        raise
    write_job(run, replace(record, job=job))
    return job


def _unusual(settings: SlurmSettings) -> dict[str, Any]:
    """Return what a job was asked for, without what every job is."""
    return settings.model_dump(mode="json", include={*SlurmSettings.model_fields}, exclude_defaults=True)
