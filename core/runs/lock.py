"""One process trains a run at a time. The operating system frees the lock however that process ends.

On a disk that knows no locks nothing sees to that: `unguarded` says so.
"""

import errno
import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

from core.errors import RunLocked
from core.files import creating, open_plain
from core.runs.folder import Run, ensure_plain

__all__ = ["hold", "is_held", "unguarded"]

ATTEMPTS = 20
PAUSE_SECONDS = 0.01
NO_LOCKS = {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK}
"""What a disk without locks answers, such as Lustre mounted without ``-o flock``."""


@contextmanager
def hold(run: Run) -> Iterator[None]:
    """Hold the lock of a run, where its disk knows locks.

    Raises:
        RunLocked: another process holds it; the message says which.
        RunError: the lock file cannot be written, or something in the folder leads out of it.
    """
    ensure_plain(run)
    with creating(run.lock_file):
        handle = open_plain(run.lock_file, os.O_RDWR | os.O_CREAT)
    try:
        with creating(run.lock_file):
            if not _taken(handle):
                holder = os.pread(handle, 200, 0).decode(errors="replace").strip() or "another process"
                raise RunLocked(f"{run.id} is being trained by {holder}", "Follow it with `tui watch`")
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


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
