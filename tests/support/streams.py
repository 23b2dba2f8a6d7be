"""Standard streams of the process of the tests."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tui.runtime import streams

__all__ = ["streams_kept"]


@contextmanager
def streams_kept() -> Iterator[None]:
    """Context manager after which standard output is what it was, also for libraries, though a command ran in it."""
    before, descriptor = sys.stdout, os.dup(1)
    try:
        yield
    finally:
        sys.stdout = before
        streams._results = None
        os.dup2(descriptor, 1)
        os.close(descriptor)
