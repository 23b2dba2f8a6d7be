"""Large blocks of memory, given back to the system as soon as they are free.

Batches of a stream are made on one thread and freed on others. glibc keeps blocks of up to 32 MiB in the heap of the
thread that made them, where they leave holes that the next ones do not fit: a split that is read batch by batch would
take as much memory as if it were held. Other C libraries are not affected.
"""

import ctypes
import sys

__all__ = ["give_back_freed", "give_back_large_blocks", "keep_large_blocks"]

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Parameters of mallopt(3)."""
GIVEN_BACK_BYTES = 2 << 20
KEPT_BYTES = 32 << 20
"""The largest that glibc chooses by itself."""

_given_back = False


def give_back_large_blocks() -> None:
    """Make glibc give back blocks of a few MiB when they are freed, in this process, until `keep_large_blocks`."""
    global _given_back
    _given_back = _mallopt(M_MMAP_THRESHOLD, GIVEN_BACK_BYTES) or _given_back


def keep_large_blocks() -> None:
    """Make glibc keep them again, as each step without a stream needs those of the one before."""
    global _given_back
    if _given_back:
        _mallopt(M_MMAP_THRESHOLD, KEPT_BYTES)
        _mallopt(M_TRIM_THRESHOLD, 2 * KEPT_BYTES)
        _given_back = False


def give_back_freed() -> None:
    """Make glibc give back the pages that hold nothing any more, wherever they lie in its heaps."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


def _mallopt(parameter: int, value: int) -> bool:
    """Return whether there was such a function."""
    change = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    return change is not None and bool(change(parameter, value))
