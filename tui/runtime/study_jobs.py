"""Jobs of Slurm that work on one study: an array of workers, each of which claims trial after trial.

A worker is a process as any other that works on the study. The trials of one that is lost are run again by the others,
see `core.tuning.study.presence`.
"""

import os
from pathlib import Path

from sqlalchemy.engine import make_url

from core.errors import RunError
from core.files.atomic import write_atomically
from core.safe_path import TUI_COMMAND
from core.slurm.client import cancel, submit
from core.slurm.script import array_script
from core.slurm.settings import SlurmSettings
from core.tuning.study.folder import StudyFolder
from core.tuning.study.storage import without_credentials
from core.tuning.study.study import TuningStudy
from tui.runtime.study_queue import drop_waiting, note_workers, workers_now

__all__ = ["cancel_waiting", "submit_workers"]


def submit_workers(
    study: TuningStudy,
    settings: SlurmSettings,
    jobs: int,
    data_root: Path | None,
    seconds: float | None = None,
) -> str:
    """Submit an array of workers for a study, and return its id. Each prints to a file such as ``worker-31_1.log``.

    A password in the URL of the storage goes to the workers in their environment, not into the script.

    Args:
        seconds: after which each worker stops; None for no limit.

    Raises:
        RunError: Slurm refuses the jobs, or the folder cannot be written.
        SlurmSilent: Slurm does not answer; whether it has taken the jobs is not known.
    """
    folder, environment = study.folder.path.resolve(), dict(os.environ)
    command = [*TUI_COMMAND, "tune", "--no-ui", "--resume", study.name, "--runs", str(folder.parent)]
    command += ["--data-root", str(data_root.resolve())] if data_root is not None else []
    command += ["--timeout", f"{seconds:f}"] if seconds is not None else []
    if study.storage_url is not None:
        command += ["--storage", without_credentials(study.storage_url)]
        given = make_url(study.storage_url)
        environment |= {"PGUSER": given.username} if given.username else {}
        environment |= {"PGPASSWORD": str(given.password)} if given.password else {}
    try:
        script = array_script(settings, command, name=study.name, jobs=jobs, folder=folder)
    except ValueError as error:
        raise RunError(str(error)) from None
    write_atomically(folder / "job.sh", lambda file: file.write(script.encode()))
    job = submit(script, environment)
    note_workers(study.folder, job)
    return job


def cancel_waiting(folder: StudyFolder) -> int:
    """Cancel the workers of a study that wait in the queue; return of how many arrays some may have waited.

    Raises:
        RunError: Slurm refuses, or the folder cannot be written.
        SlurmSilent: Slurm does not answer.
    """
    arrays = workers_now(folder)
    for array in arrays:
        cancel(array.id, only_waiting=True)
    if arrays:
        drop_waiting(folder)
    return len(arrays)
