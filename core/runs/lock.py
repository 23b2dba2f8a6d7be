"""The lock of a run: one process trains it at a time.

On a file system without locks nothing enforces that; `missing_lock_warning` says so.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from core.errors import RunLocked
from core.files.atomic import creating
from core.files.lock import FileLock, LockState, holder_of, lock_state
from core.files.reading import open_plain
from core.remedies import WATCH
from core.runs.folder import Run, ensure_plain

__all__ = ["HANDED_OVER", "has_locks", "hold", "is_held", "is_held_since", "missing_lock_warning"]

HANDED_OVER = "TUI_LOCK"
"""Names, to a process that is started to train a run, the open lock of that run which it inherits."""


@contextmanager
def hold(run: Run) -> Iterator[int]:
    """Context manager that holds the lock of a run; what was asked of the run before is forgotten.

    Yields:
        The open lock. A process that is started with it holds it, too, from its first moment on; see `HANDED_OVER`.

    Raises:
        RunLocked: another process holds it; the message says which.
        RunError: the lock file cannot be written, or something in the folder leads out of it.
    """
    ensure_plain(run)
    inherited = _inherited(run)
    with _lock(run, inherited) as lock:
        if not inherited:
            with suppress(OSError):
                run.requests_file.unlink(missing_ok=True)
        with suppress(OSError):  # lists of runs look again at those whose log has changed
            os.utime(run.log_file)
        yield lock.handle


def _lock(run: Run, inherited: int | None) -> FileLock:
    with creating(run.lock_file):
        try:
            lock = FileLock(inherited or open_plain(run.lock_file, os.O_RDWR | os.O_CREAT))
        except BlockingIOError:
            holder = holder_of(run.lock_file) or "another process"
            raise RunLocked(f"{run.id} is being trained by {holder}", (WATCH,)) from None
        try:
            lock.name_holder(os.getpid())
        except BaseException:
            lock.close()
            raise
    return lock


def _inherited(run: Run) -> int | None:
    """Return the open lock that this process was started with, if it is that of this run; it is taken once."""
    try:
        handle = int(os.environ.get(HANDED_OVER, ""))
        if not os.path.samestat(os.fstat(handle), os.stat(run.lock_file)):
            return None
        del os.environ[HANDED_OVER]
        os.set_inheritable(handle, False)
    except (OSError, ValueError):
        return None
    return handle


def is_held(run: Run) -> bool:
    """Return whether a living process trains this run; False on a file system without locks."""
    return lock_state(run.lock_file) is LockState.HELD


def is_held_since(run: Run, moment: float) -> bool:
    """Return whether a living process started to train this run after `moment`, in seconds since 1970."""
    try:
        taken = os.stat(run.lock_file).st_mtime
    except OSError:
        return False
    return taken > moment and is_held(run)


def has_locks(run: Run) -> bool:
    """Return whether the file system of a run has locks, as far as its lock file shows."""
    return lock_state(run.lock_file) is not LockState.UNSUPPORTED


def missing_lock_warning(run: Run) -> str:
    """Return the warning for a run whose file system has no locks, else an empty string."""
    if has_locks(run):
        return ""
    return (
        "the file system of the runs has no locks: nothing prevents two processes from training the same run, or "
        "from deleting it while it trains; other processes show it as interrupted and cannot stop it"
    )
