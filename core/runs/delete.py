"""Delete a run: its whole folder or, if that fails, nothing that still looks like a run."""

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from core.errors import RunError, RunLocked
from core.files.lock import FileLock
from core.files.temporary import hidden_folder
from core.runs.folder import DELETED, Run

__all__ = ["delete", "folder_size", "untrained"]


def folder_size(run: Run) -> int:
    """Bytes of all files of a run; links are counted, not followed. What cannot be seen counts nothing."""
    total = 0
    for folder, _, names in os.walk(run.path):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(folder, name)).st_size
    return total


def delete(run: Run) -> None:
    """Delete a run that nobody trains.

    The folder first moves, in one step, into a hidden one beside it, so that a run is never half there; while it
    moves, no process can start to train it; what a killed process left of it is removed with the next run that is
    deleted or made. On a file system without locks nothing shows whether one does, see
    `missing_lock_warning`. Links inside are removed, what they lead to stays.

    Raises:
        RunLocked: a process trains it.
        RunError: it is a link rather than a folder, or the disk refuses to delete it; the message names what is left.
    """
    try:
        with hidden_folder(run.path.parent, DELETED) as grave:
            with untrained(run):
                os.rename(run.path, grave / run.id)
            _remove(run, grave)
    except OSError as error:
        raise RunError(
            f"cannot delete {run.path}: {error.strerror or error}", "Nothing of it was deleted"
        ) from None


def _remove(run: Run, grave: Path) -> None:
    try:
        shutil.rmtree(grave / run.id)
    except OSError as error:
        raise RunError(
            f"{run.id} was only partly deleted: {error.strerror or error}", f"What is left is in {grave}"
        ) from None


@contextmanager
def untrained(run: Run) -> Iterator[None]:
    """Context manager that keeps processes from training this run, where its file system has locks."""
    if not stat.S_ISDIR(os.lstat(run.path).st_mode):
        raise RunError(f"{run.path} is a link or a file, not the folder of a run", "Remove it by hand")
    path = run.lock_file if os.path.lexists(run.lock_file) else run.path
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        lock = FileLock(handle, shared=True)  # keeps the trainer's exclusive one out
    except BlockingIOError:
        raise RunLocked(f"{run.id} is being trained", "Stop it first, then delete it") from None
    with lock:
        yield
