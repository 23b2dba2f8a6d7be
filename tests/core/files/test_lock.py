"""The lock of a file, on disks with and without locks."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.files import lock as lock_module
from core.files.lock import FileLock, LockState, has_locks, holder_of, lock_state
from tests.support.locks import refuse_locks

NO_LOCKS = ["ENOSYS", "ENOTSUP", "EOPNOTSUPP", "ENOLCK"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file to lock, which has not been locked yet."""
    path = tmp_path / "file.lock"
    path.touch()
    return path


def opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT)


def test_one_process_holds_it_and_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock_module, "PAUSE_SECONDS", 0)
    assert lock_state(path) is LockState.FREE
    with FileLock(opened(path)) as lock:
        lock.name_holder(12)
        assert lock.supported
        assert lock_state(path) is LockState.HELD
        assert holder_of(path) == f"process 12 on {os.uname().nodename}"
        lock.name_holder(3)
        assert holder_of(path).startswith("process 3 on ")
        handle = opened(path)
        with pytest.raises(BlockingIOError):
            FileLock(handle)
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(handle)
    assert lock_state(path) is LockState.FREE


def test_a_shared_lock_keeps_others_from_holding_it_alone(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock_module, "PAUSE_SECONDS", 0)
    with FileLock(opened(path), shared=True), FileLock(opened(path), shared=True):
        assert lock_state(path) is LockState.FREE
        with pytest.raises(BlockingIOError):
            FileLock(opened(path))


def test_a_process_started_with_the_lock_holds_it_until_its_end(path: Path) -> None:
    with FileLock(opened(path)) as lock:
        child = subprocess.Popen(
            [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=(lock.handle,)
        )
    assert lock_state(path) is LockState.HELD
    child.communicate(b"\n")
    assert lock_state(path) is LockState.FREE


def test_a_process_that_only_looks_is_waited_for(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looking = FileLock(opened(path), shared=True)
    monkeypatch.setattr("core.files.lock.time.sleep", lambda seconds: looking.close())
    with FileLock(opened(path)) as lock:
        assert lock.supported


@pytest.mark.parametrize("code", NO_LOCKS)
def test_a_disk_without_locks_lets_everybody_in_and_says_so(
    path: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    assert has_locks(path.parent)
    refuse_locks(monkeypatch, getattr(errno, code))
    with FileLock(opened(path)) as first, FileLock(opened(path)) as second:
        assert (first.supported, second.supported) == (False, False)
        assert lock_state(path) is LockState.UNSUPPORTED
    assert not has_locks(path.parent)


def test_a_disk_that_fails_is_not_taken_for_one_without_locks(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_locks(monkeypatch, errno.EIO)
    with pytest.raises(OSError, match="Input/output error"):
        FileLock(opened(path))
    assert lock_state(path) is LockState.UNKNOWN
    assert has_locks(path.parent)


def test_what_is_no_plain_file_has_no_lock(path: Path) -> None:
    link = path.with_name("link")
    link.symlink_to(path)
    for odd in (path.parent, path.with_name("missing"), link):
        assert lock_state(odd) is LockState.UNKNOWN
        assert holder_of(odd) == ""
    assert has_locks(path.with_name("missing"))
