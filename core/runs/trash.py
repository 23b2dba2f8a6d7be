"""The trash of a folder of runs: what was deleted lies in ``.trash`` there until it is restored or emptied for good.

    runs/.trash/20261122-091533-3fa9c1/2026-11-22_0901_digits-mlp_k3f/

Runs that were deleted together share a folder, so that one step brings all of them back.
"""

import os
import secrets
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.errors import RunError, RunLocked
from core.files.atomic import creating
from core.files.lock import LockState, lock_state
from core.files.temporary import sync_folder
from core.runs.delete import delete, untrained
from core.runs.folder import Run
from core.runs.references import resolve
from core.runs.script import is_imported

__all__ = ["TRASH", "Trashed", "discard", "empty_trash", "find_trashed", "new_batch", "restore", "trashed"]

TRASH: Final = ".trash"
STAMP: Final = "%Y%m%d-%H%M%S"


@dataclass(frozen=True)
class Trashed:
    """A run or a study in the trash.

    Attributes:
        deleted: seconds since 1970; 0 when unknown.
    """

    run: Run
    deleted: float

    @property
    def batch(self) -> Path:
        """The folder of all that were deleted together."""
        return self.run.path.parent


def new_batch(runs_dir: Path) -> Path:
    """Return the folder for what is deleted together now; `discard` makes it."""
    return runs_dir / TRASH / f"{time.strftime(STAMP)}-{secrets.token_hex(3)}"


def discard(run: Run, batch: Path) -> None:
    """Move a run, or a study, into the trash; in one step, so that it is never half there.

    Args:
        run: its folder, in the folder of the runs.
        batch: see `new_batch`.

    Raises:
        RunLocked: a process trains it, or works on the study.
        RunError: it is a link, it is a trial, or the disk refuses to move it.
    """
    if is_imported(run.path):
        raise RunError(f"{run.id} is the log of another tool", "Delete it where that tool wrote it")
    if run.path.parent.resolve() != batch.parent.parent.resolve():
        raise RunError(f"{run.id} is part of a study and is deleted with it", "Delete the study")
    _ensure_own(batch.parent)
    with creating(run.path), _idle(run):
        batch.mkdir(parents=True, exist_ok=True)
        os.rename(run.path, batch / run.id)
    sync_folder(run.path.parent)


def restore(found: Trashed) -> Run:
    """Move a run or a study back to where it was.

    Raises:
        RunError: something else has its name now, or the disk refuses to move it.
    """
    back = Run(found.batch.parent.parent / found.run.id)
    if os.path.lexists(back.path):
        raise RunError(f"cannot restore {back.id}: something else has its name", f"Move {back.path} away")
    with creating(back.path):
        os.rename(found.run.path, back.path)
    sync_folder(back.path.parent)
    with suppress(OSError):  # others may be left in it
        found.batch.rmdir()
    return back


def trashed(runs_dir: Path) -> list[Trashed]:
    """Return what is in the trash, deleted last first."""
    found = []
    for batch in _folders(runs_dir / TRASH):
        found += [Trashed(Run(path), _time_of(batch)) for path in _folders(batch)]
    return found


def find_trashed(runs_dir: Path, reference: str) -> Trashed:
    """Return what a reference means in the trash, see `core.runs.references.resolve`.

    Raises:
        RunError: there is none, or more than one.
    """
    known = {found.run.id: found for found in reversed(trashed(runs_dir))}
    name = resolve(
        reference,
        list(known),
        started=lambda name: known[name].deleted,
        kind=("run", "runs"),
        where=f"in the trash of {runs_dir}",
        hint="",
    )
    return known[name]


def empty_trash(runs_dir: Path, on_problem: Callable[[str], object] = lambda problem: None) -> int:
    """Delete for good what is in the trash; return how many runs and studies that were.

    Args:
        on_problem: called with what could not be deleted, in one line.
    """
    gone = 0
    for found in trashed(runs_dir):
        try:
            delete(found.run)
            gone += 1
        except RunError as error:
            on_problem(str(error))
    for batch in _folders(runs_dir / TRASH):
        with suppress(OSError):
            batch.rmdir()
    return gone


@contextmanager
def _idle(run: Run) -> Iterator[None]:
    """Context manager that keeps processes from training a run; a study must have none that works on it."""
    for path in _files(run.path / "processes"):
        if lock_state(path) is LockState.HELD:
            raise RunLocked(f"a process works on {run.id}", "Stop it first, then delete it")
    with untrained(run):
        yield


def _ensure_own(trash: Path) -> None:
    """Make sure that the trash is a folder, and not a link that leads elsewhere."""
    with suppress(FileNotFoundError):
        if not stat.S_ISDIR(os.lstat(trash).st_mode):
            raise RunError(f"{trash} is not a folder", "Move it away")


def _folders(parent: Path) -> list[Path]:
    """Return the folders in a folder, the last by name first; links do not count."""
    if parent.is_symlink():
        return []
    return [path for path in _files(parent)[::-1] if path.is_dir() and not path.is_symlink()]


def _files(parent: Path) -> Sequence[Path]:
    try:
        return sorted(parent.iterdir())
    except OSError:
        return ()


def _time_of(batch: Path) -> float:
    try:
        return time.mktime(time.strptime(batch.name.rpartition("-")[0], STAMP))
    except (ValueError, OverflowError):
        return 0.0
