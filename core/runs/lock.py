"""One process trains a run at a time. The operating system frees the lock however that process ends."""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from core.errors import RunLocked
from core.files import creating
from core.runs.folder import Run

__all__ = ["hold", "is_held"]


@contextmanager
def hold(run: Run) -> Iterator[None]:
    """Hold the lock of a run.

    Raises:
        RunLocked: another process holds it; the message says which.
        RunError: the lock file cannot be written.
    """
    with creating(run.lock_file):
        handle = os.open(run.lock_file, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 200, 0).decode(errors="replace").strip() or "another process"
            raise RunLocked(f"{run.id} is being trained by {holder}", "Follow it with `tui watch`") from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


def is_held(run: Run) -> bool:
    """Whether a living process trains this run."""
    try:
        handle = os.open(run.lock_file, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
