"""Claims on GPUs: a lock for each, so that two runs that start at the same moment do not take the same one.

They hold between all runs of one user on one machine. What other users compute is seen by `nvidia-smi` alone.
"""

import os
import socket
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path

from core.files.lock import FileLock, LockState, holder_of, lock_state
from core.files.reading import open_plain
from core.gpus.table import GpuState

__all__ = ["claim", "claimed", "holder", "unclaimed"]

LOCAL = Path("/tmp")  # not TMPDIR, which differs between the sessions of a user


def claim(gpu: GpuState) -> FileLock | None:
    """Take a GPU for as long as the lock is open; None where another process of this user has it.

    A process that is started with the descriptor of the lock has the GPU, too.
    """
    folder = _folder()
    if folder is None:  # no claims are possible: nothing keeps others off
        return unclaimed()
    try:
        lock = FileLock(open_plain(folder / _name(gpu), os.O_RDWR | os.O_CREAT))
    except BlockingIOError:
        return None
    lock.name_holder(os.getpid())
    return lock


def unclaimed() -> FileLock:
    """Return a lock that keeps nobody off."""
    with tempfile.TemporaryFile() as file:
        return FileLock(os.dup(file.fileno()))


def claimed(gpus: Iterable[GpuState]) -> set[str]:
    """Return the UUIDs of those that a process of this user has."""
    folder = _folder()
    if folder is None:
        return set()
    return {gpu.uuid for gpu in gpus if lock_state(folder / _name(gpu)) is LockState.HELD}


def holder(gpu: GpuState) -> str:
    """Return who has a GPU, such as ``process 12``; empty where nobody has."""
    folder = _folder()
    if folder is None or lock_state(folder / _name(gpu)) is not LockState.HELD:
        return ""
    return holder_of(folder / _name(gpu)).partition(" on ")[0] or "another process"


def _name(gpu: GpuState) -> str:
    return f"{socket.gethostname()}-{''.join(letter for letter in gpu.uuid if letter.isalnum() or letter in '-_')}"


def _folder() -> Path | None:
    """Return this user's own folder of locks, which no one else can write; None where that cannot be."""
    base = LOCAL if os.access(LOCAL, os.W_OK) else Path(tempfile.gettempdir())
    folder = base / f"torchtui-gpus-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return None
    own = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022
    return folder if own else None
