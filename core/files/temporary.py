"""Files and folders under hidden names until they are whole, and the removal of those that a killed process left.

Each carries a lock that its owner holds: whoever comes next knows what nobody needs any more, whichever process,
container or machine has made it.
"""

import errno
import fcntl
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from core.files.reading import open_plain
from core.files.syncing import sync

__all__ = [
    "LOCK_NAME",
    "OLD_SECONDS",
    "hidden_file",
    "hidden_folder",
    "sweep_files",
    "sweep_folders",
    "sync_file",
    "sync_folder",
]

LOCK_NAME = "owner.lock"
OLD_SECONDS = 24 * 3600.0
"""Age at which something is taken for left behind where the disk has no locks."""


def hidden_file(path: Path, mode: int) -> tuple[Path, int]:
    """Create an empty file beside `path` that is to take its place; return its path and its descriptor, to write.

    It belongs to this process until the descriptor is closed.

    Raises:
        OSError: it cannot be made.
    """
    while True:
        made = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        if _owns(handle):
            return made, handle
        os.close(handle)


def sweep_files(path: Path) -> None:
    """Remove what killed processes have left of `hidden_file` for this path."""
    name = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{8}}\.tmp")
    for left in _entries(path.parent, name):
        with _abandoned(left) as is_abandoned, suppress(OSError):
            if is_abandoned:
                left.unlink()


@contextmanager
def hidden_folder(parent: Path, prefix: str, *, lock_name: str = LOCK_NAME) -> Iterator[Path]:
    """Context manager with a new folder that is removed at the end unless it was renamed by then.

    Folders of this prefix that killed processes have left are removed first.

    Args:
        prefix: beginning of its name.
        lock_name: file in it whose lock its owner holds; it stays when the folder is renamed.

    Raises:
        OSError: it cannot be made.
    """
    sweep_folders(parent, prefix, lock_name=lock_name)
    folder, handle = _new_folder(parent, prefix, lock_name)
    try:
        yield folder
    finally:
        with suppress(OSError):
            _remove(folder, lock_name)
        os.close(handle)


def sync_file(path: Path) -> None:
    """Write a file through to the disk, before it takes the place of another.

    Raises:
        OSError: the disk does not take it.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    """Write the names in a folder through to the disk, so that what was renamed there outlives a power cut.

    A file system that cannot do so, as some on networks, is left to its own ways.
    """
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            sync(handle, folder)
        finally:
            os.close(handle)


def _new_folder(parent: Path, prefix: str, lock_name: str) -> tuple[Path, int]:
    while True:
        folder = parent / f"{prefix}{secrets.token_hex(4)}"
        try:
            folder.mkdir()
            handle = os.open(folder / lock_name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        except (FileExistsError, FileNotFoundError):
            if not parent.is_dir():
                raise
            continue  # another process has this name, or took the folder for left behind
        except OSError:
            with suppress(OSError):
                folder.rmdir()
            raise
        if _owns(handle):
            return folder, handle
        os.close(handle)


def sweep_folders(parent: Path, prefix: str, *, lock_name: str = LOCK_NAME) -> None:
    """Remove what killed processes have left of `hidden_folder`: folders with a lock that nobody holds, old empty ones.

    Others may be somebody's own.
    """
    for left in _entries(parent, re.compile(rf"{re.escape(prefix)}[0-9a-f]{{8}}")):
        if left.is_symlink():
            continue
        with _abandoned(left / lock_name) as is_abandoned, suppress(OSError):
            if is_abandoned:
                _remove(left, lock_name)
            elif _is_old(left.lstat()):
                left.rmdir()


def _remove(folder: Path, lock_name: str) -> None:
    """Remove a folder, its lock last: if this process is killed meanwhile, the rest still counts as left behind."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != lock_name:
            path.unlink()
    (folder / lock_name).unlink()
    folder.rmdir()


def _entries(folder: Path, name: re.Pattern[str]) -> list[Path]:
    try:
        return [folder / entry for entry in os.listdir(folder) if name.fullmatch(entry)]
    except OSError:
        return []


def _owns(handle: int) -> bool:
    """Take the lock of a new file; False if another process has removed it, or is about to."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a disk without locks
        return True
    return os.fstat(handle).st_nlink > 0


@contextmanager
def _abandoned(path: Path) -> Iterator[bool]:
    """Context manager that tells whether the owner of a file is gone; while it is open, no process becomes it."""
    try:
        handle = open_plain(path, os.O_RDWR)
    except OSError:
        yield False
        return
    try:
        yield _is_free(handle)
    finally:
        os.close(handle)


def _is_free(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno != errno.EWOULDBLOCK and _is_old(os.fstat(handle))
    return True


def _is_old(found: os.stat_result) -> bool:
    return time.time() - found.st_mtime > OLD_SECONDS
