"""Costs of a piece of work that are the same on every machine: bytes, calls, memory."""

import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

__all__ = ["bytes_read", "memory_growth"]

KILOBYTE = 1024


@contextmanager
def bytes_read(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], int]]:
    """Context manager that counts what is read by ``os.pread``; yields a function that returns the count."""
    count, pread = 0, os.pread

    def counting(handle: int, size: int, offset: int) -> bytes:
        nonlocal count
        data = pread(handle, size, offset)
        count += len(data)
        return data

    with monkeypatch.context() as patch:
        patch.setattr(os, "pread", counting)
        yield lambda: count


def memory_growth(act: Callable[[], object]) -> int:
    """Return by how many bytes the memory of a process grows at most while it calls `act`, in a fork of this one.

    Raises:
        AssertionError: what `act` raised; its traceback is on standard error.
    """
    reading, writing = os.pipe()
    process = os.fork()
    if not process:
        try:
            before = _peak()
            act()
            os.write(writing, str(_peak() - before).encode())
            os._exit(0)
        except BaseException:
            import traceback

            traceback.print_exc()
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading) as answer:
        grown = answer.read()
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
    return int(grown)


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KILOBYTE
