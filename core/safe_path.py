"""Import path of the interpreters that are started from here: never in the folder where the user stands.

A file ``queue.py`` or a package ``core`` there, the user's own or somebody else's, must not be taken for the one that
is meant. ``python -c``, which is how multiprocessing starts its processes, would look there first.
"""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["TUI_COMMAND", "safe_import_path"]

TUI_COMMAND = (sys.executable, "-P", "-m", "torchtui")
"""Starts ``tui`` in a process of its own, by a name that no project has; the options follow."""

VARIABLE = "PYTHONSAFEPATH"
_lock = threading.RLock()


@contextmanager
def safe_import_path() -> Iterator[None]:
    """Context manager in which interpreters are started that do not import from the current folder.

    Everything that starts one belongs in it: multiprocessing starts its helpers (the fork server, the resource
    tracker) with the first process, and once more when they have died.
    """
    with _lock:
        before = os.environ.get(VARIABLE)
        os.environ[VARIABLE] = "1"
        try:
            yield
        finally:
            if before is None:
                del os.environ[VARIABLE]
            else:
                os.environ[VARIABLE] = before
