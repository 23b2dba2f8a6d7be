"""Tells at once that a file has grown."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

__all__ = ["size_of", "watch_size"]

LOOK_SECONDS = 0.02
"""Between two looks at the size, which take some microseconds each."""


def size_of(path: Path) -> int:
    """Return the bytes of a file; 0 if there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def watch_size(
    path: Path, grown: Callable[[], object], *, ready: Callable[[], bool], wanted: Callable[[], bool]
) -> None:
    """Call a function when the size of a file has changed, from a thread of its own.

    On disks of a network a size may be seconds old: who follows a file there reads it now and then besides.

    Args:
        grown: called once for all that has come since its last call.
        ready: whether it may be called now; what has come waits for that.
        wanted: whether anybody still follows the file; the thread ends if not.
    """

    def look() -> None:
        known, has_grown = size_of(path), False
        while wanted():
            size = size_of(path)
            known, has_grown = size, has_grown or size != known
            if has_grown and ready():
                has_grown = False
                grown()
            time.sleep(LOOK_SECONDS)

    threading.Thread(target=look, name=f"growth of {path}", daemon=True).start()
