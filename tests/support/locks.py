"""File systems without locks."""

import errno
import os

import pytest

__all__ = ["refuse_locks"]


def refuse_locks(monkeypatch: pytest.MonkeyPatch, code: int = errno.ENOLCK) -> None:
    """Let every lock fail with an error, as on a file system without locks."""

    def refuse(handle: int, kind: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("core.files.lock.fcntl.flock", refuse)
