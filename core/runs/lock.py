"""One process trains a run at a time. The operating system frees the lock however that process ends.

On a disk that knows no locks nothing sees to that: `unguarded` says so.
"""

import errno
import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from core.errors import RunLocked
from core.files.atomic import creating, open_plain
from core.runs.folder import Run, ensure_plain

__all__ = ["HANDED_OVER", "hold", "is_held", "is_held_since", "unguarded"]

ATTEMPTS = 20
PAUSE_SECONDS = 0.01
NO_LOCKS = {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK}
"""What a disk without locks answers, such as Lustre mounted without ``-o flock``."""

HANDED_OVER = "TUI_LOCK"
"""Names, to a process that is started to train a run, the open lock of that run which it inherits."""


@contextmanager
def hold(run: Run) -> Iterator[int]:
    """Hold the lock of a run, where its disk knows locks; what was asked of the run before is forgotten.

    Yields:
        The open lock. A process that is started with it holds it, too, from its first moment on; see `HANDED_OVER`.

    Raises:
        RunLocked: another process holds it; the message says which.
        RunError: the lock file cannot be written, or something in the folder leads out of it.
    """
    ensure_plain(run)
    inherited = _inherited(run)
    with creating(run.lock_file):
        handle = inherited or open_plain(run.lock_file, os.O_RDWR | os.O_CREAT)
    try:
        with creating(run.lock_file):
            if not _taken(handle):
                holder = os.pread(handle, 200, 0).decode(errors="replace").strip() or "another process"
                raise RunLocked(f"{run.id} is being trained by {holder}", "Follow it with `tui watch`")
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
        if not inherited:
            with suppress(OSError):
                run.requests_file.unlink(missing_ok=True)
        with suppress(OSError):  # lists of runs look again at those whose log has changed
            os.utime(run.log_file)
        yield handle
    finally:
        os.close(handle)


def _inherited(run: Run) -> int | None:
    """The open lock that this process was started with, if it is that of this run."""
    try:
        handle = int(os.environ.pop(HANDED_OVER, ""))
        if not os.path.samestat(os.fstat(handle), os.stat(run.lock_file)):
            return None
        os.set_inheritable(handle, False)
    except (OSError, ValueError):
        return None
    return handle


def _taken(handle: int) -> bool:
    """Take the lock, if no other process trains; one that only looks, as `is_held` does, has it for a moment."""
    for _ in range(ATTEMPTS):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            time.sleep(PAUSE_SECONDS)
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
            return True
    return False


def is_held(run: Run) -> bool:
    """Whether a living process trains this run."""
    return isinstance(_refusal(run), BlockingIOError)


def is_held_since(run: Run, moment: float) -> bool:
    """Whether a living process has begun to train this run after `moment`, in seconds since 1970."""
    try:
        taken = os.stat(run.lock_file).st_mtime
    except OSError:
        return False
    return taken > moment and is_held(run)


def unguarded(run: Run) -> str:
    """What nothing sees to while this run is trained, in words; empty where its disk knows locks."""
    refusal = _refusal(run)
    if refusal is None or refusal.errno not in NO_LOCKS:
        return ""
    return (
        "the disk of the runs knows no locks: nothing keeps two processes from training one run at the same time; "
        "to other processes it is interrupted while it trains, and they cannot stop it"
    )


def _refusal(run: Run) -> OSError | None:
    """Why the lock is not to be had; None when it is free, or there is none."""
    try:
        handle = open_plain(run.lock_file, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error
    finally:
        os.close(handle)
    return None
