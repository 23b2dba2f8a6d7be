"""A lock on a file, freed by the operating system however its holder ends, on disks with and without locks.

The package `filelock` is not used: its locks cannot be handed to a child process, are never shared, do not name their
holder, and turn into another kind of lock or an error on a disk without them.
"""

import errno
import fcntl
import os
import socket
import tempfile
import time
from enum import Enum, auto
from pathlib import Path
from types import TracebackType

from core.files.reading import open_plain

__all__ = ["FileLock", "LockState", "has_locks", "holder_of", "lock_state"]

ATTEMPTS = 20
PAUSE_SECONDS = 0.01
NO_LOCKS = {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK}
"""Errors of a file system without locks, such as Lustre mounted without ``-o flock``."""


class FileLock:
    """The lock of an open file, held from its creation until `close`.

    It belongs to the open file: a process started with its descriptor holds it as well, and it is free once all of
    them have closed it or ended.

    Attributes:
        handle: descriptor of the file; owned by the lock.
        supported: False on a file system without locks, where nothing keeps other processes out.
    """

    def __init__(self, handle: int, *, shared: bool = False) -> None:
        """Take the lock, waiting a moment for processes that only look at it, as `lock_state` does.

        Args:
            handle: descriptor of the file, closed if the lock cannot be taken.
            shared: let others hold it as well, but nobody alone; works for files opened to read on network disks.

        Raises:
            BlockingIOError: another process holds it; see `holder_of`.
            OSError: the file system fails.
        """
        self.handle = handle
        try:
            self.supported = _take(handle, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        except BaseException:
            os.close(handle)
            raise

    def name_holder(self, process: int) -> None:
        """Write into the file who holds the lock."""
        os.ftruncate(self.handle, 0)
        os.pwrite(self.handle, f"process {process} on {socket.gethostname()}\n".encode(), 0)

    def close(self) -> None:
        """Free the lock, unless another process was started with it."""
        os.close(self.handle)

    def __enter__(self) -> "FileLock":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _take(handle: int, kind: int) -> bool:
    """Take a lock; False where the file system has none."""
    for attempt in range(ATTEMPTS):
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if attempt == ATTEMPTS - 1:
                raise
            time.sleep(PAUSE_SECONDS)
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
            break
    return False


class LockState(Enum):
    """State of the lock of a file, found without taking it."""

    HELD = auto()
    FREE = auto()
    UNSUPPORTED = auto()
    """The file system has no locks: the file may be in use or not."""
    UNKNOWN = auto()
    """There is no regular file, or its file system fails."""


def lock_state(path: Path) -> LockState:
    """Return whether some process, this one included, holds the lock of a file alone."""
    try:
        handle = open_plain(path, os.O_RDONLY)
    except OSError:
        return LockState.UNKNOWN
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return LockState.HELD
    except OSError as error:
        return LockState.UNSUPPORTED if error.errno in NO_LOCKS else LockState.UNKNOWN
    finally:
        os.close(handle)
    return LockState.FREE


def has_locks(folder: Path) -> bool:
    """Return whether the file system of a folder has locks; True if no file can be made there to try one."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            return _take(file.fileno(), fcntl.LOCK_EX)
    except OSError:
        return True


def holder_of(path: Path) -> str:
    """Return who holds a lock, such as ``process 12 on node3``, as it was written by `FileLock.name_holder`."""
    try:
        handle = open_plain(path, os.O_RDONLY)
    except OSError:
        return ""
    try:
        return os.pread(handle, 200, 0).decode(errors="replace").strip()
    finally:
        os.close(handle)
