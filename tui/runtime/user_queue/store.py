"""The queue on disk: one file for each user and machine, changed by one process at a time."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import ValidationError

from core.errors import RunError
from core.files.atomic import creating, write_atomically
from core.files.lock import FileLock, LockState, holder_of, lock_state
from core.files.reading import open_plain, read_bytes
from core.runs.folder import Run
from core.user_code.trust import config_folder
from tui.runtime.user_queue.entries import Entry, Lineup

__all__ = [
    "announced_file",
    "change_lineup",
    "console_of",
    "forget_files",
    "held_entry",
    "hold_entry",
    "hold_work",
    "pid_of",
    "queue_folder",
    "read_lineup",
    "worked_on_by",
]

WAIT_SECONDS = 10.0
"""For others that change the queue, each of which takes milliseconds."""
ELSEWHERE = "name a settings file elsewhere with TUI_CONFIG: the queue is beside it"
CREATE = os.O_RDWR | os.O_CREAT


def queue_folder() -> Path:
    """Return the folder of the queue of this user and machine."""
    return config_folder() / "queue" / (socket.gethostname() or "here")


def read_lineup() -> Lineup:
    """Return the queue as it is.

    Raises:
        RunError: its file is damaged.
    """
    path = queue_folder() / "queue.json"
    try:
        return Lineup.model_validate_json(read_bytes(path))
    except FileNotFoundError:
        return Lineup()
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}") from None
    except (ValidationError, ValueError):
        raise RunError(f"{path} is damaged", "Remove it: what waits there is lost, no run is") from None


def change_lineup(change: Callable[[Lineup], Lineup]) -> Lineup:
    """Change the queue, and return what it is now.

    Args:
        change: called while no other process can change it.

    Raises:
        RunError: it cannot be read or written.
    """
    with _alone():
        before = read_lineup()
        after = change(before)
        if after != before:
            text = after.model_dump_json(indent=1).encode()
            path = queue_folder() / "queue.json"
            write_atomically(path, lambda file: file.write(text), private=True, instead=ELSEWHERE)
        return after


def hold_work(handle: int | None = None) -> FileLock | None:
    """Take the lock of the process that starts what waits; None where there is one.

    Args:
        handle: the open lock, which the process that started this one has handed over; None to open it.
    """
    folder = queue_folder()
    with creating(folder / "work.lock", ELSEWHERE):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            return FileLock(handle or open_plain(folder / "work.lock", CREATE))
        except BlockingIOError:
            return None


def worked_on_by() -> str:
    """Return the process that starts what waits, such as ``process 12``; empty where there is none."""
    path = queue_folder() / "work.lock"
    if lock_state(path) is not LockState.HELD:
        return ""
    return holder_of(path).partition(" on ")[0] or "another process"


def console_of(entry: Entry) -> Path:
    """Return the file with what an entry prints: that of its run, where that is known."""
    return Run(Path(entry.run)).console_file if entry.run else queue_folder() / f"{entry.id}.log"


def announced_file(number: int) -> Path:
    """Return the file in which the process of an entry names its run, see `core.runs.origin.announcing`."""
    return queue_folder() / f"{number}.run"


def hold_entry(number: int) -> FileLock:
    """Take the lock that the process of an entry holds from its first moment to its end.

    Raises:
        RunError: the folder cannot be written.
    """
    path = queue_folder() / f"{number}.lock"
    with creating(path):
        return FileLock(open_plain(path, CREATE))


def held_entry(entry: Entry) -> bool:
    """Return whether the process of an entry lives, or is being started."""
    return lock_state(queue_folder() / f"{entry.id}.lock") is LockState.HELD


def pid_of(entry: Entry) -> int:
    """Return the process of an entry that lives; 0 for none."""
    path = queue_folder() / f"{entry.id}.lock"
    if lock_state(path) is not LockState.HELD:
        return 0
    words = holder_of(path).split()
    return int(words[1]) if len(words) > 1 and words[1].isdecimal() else 0


def forget_files(number: int, *, console: bool) -> None:
    """Remove the files of an entry, but nothing of its run."""
    for name in (f"{number}.lock", f"{number}.run", *((f"{number}.log",) if console else ())):
        with suppress(OSError):
            (queue_folder() / name).unlink()


@contextmanager
def _alone() -> Iterator[None]:
    folder = queue_folder()
    deadline = time.monotonic() + WAIT_SECONDS
    with creating(folder / "queue.lock", ELSEWHERE):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        while True:
            try:
                lock = FileLock(open_plain(folder / "queue.lock", CREATE))
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise
    with lock:
        yield
