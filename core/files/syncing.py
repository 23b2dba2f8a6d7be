"""Writing through to the disk: at once, or soon and in the background for the many small files of trials.

A process that is killed loses nothing either way: the system has what was written. Only a power cut can take the
files of the last moment that were to be synced soon.
"""

import os
import queue
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["never_synced", "sync", "synced_soon"]

MAX_PENDING = 256
"""Files that may wait for the disk; where more do, writers wait for it as well."""

_lock = threading.Lock()
_soon: Counter[Path] = Counter()
_never: Counter[Path] = Counter()
_pending: "queue.SimpleQueue[int]" = queue.SimpleQueue()
_thread: threading.Thread | None = None


@contextmanager
def synced_soon(folder: Path) -> Iterator[None]:
    """Context manager in which `sync` does not wait for what is in a folder."""
    with _counted(_soon, folder):
        yield


@contextmanager
def never_synced(folder: Path) -> Iterator[None]:
    """Context manager in which `sync` leaves what is in a folder to the system, such as what can be made again."""
    with _counted(_never, folder):
        yield


@contextmanager
def _counted(folders: Counter[Path], folder: Path) -> Iterator[None]:
    with _lock:
        folders[folder] += 1
    try:
        yield
    finally:
        with _lock:
            folders[folder] -= 1
            if not folders[folder]:
                del folders[folder]


def sync(handle: int, path: Path) -> None:
    """Write an open file or folder through to the disk, in the order of the calls.

    Raises:
        OSError: the disk does not take it; one that is synced soon is then left to the system.
    """
    if _is_in(_never, path):
        return
    if _is_in(_soon, path) and _pending.qsize() < MAX_PENDING:
        _pending.put(os.dup(handle))
        _ensure_running()
    else:
        os.fsync(handle)


def _is_in(folders: Counter[Path], path: Path) -> bool:
    if not folders:
        return False
    with _lock:
        return any(folder == path or folder in path.parents for folder in folders)


def _ensure_running() -> None:
    global _thread
    with _lock:
        if _thread is None or not _thread.is_alive():  # a fork has none of its parent's threads
            _thread = threading.Thread(target=_work, name="sync", daemon=True)
            _thread.start()


def _work() -> None:
    while True:
        handle = _pending.get()
        try:
            with suppress(OSError):
                os.fsync(handle)
        finally:
            os.close(handle)
