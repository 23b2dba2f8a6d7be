"""Memory given back to the system as soon as it is free, by the two libraries that allocate it: glibc and jemalloc.

Batches of a stream are made on one thread and freed on others. glibc keeps blocks of up to 32 MiB in the heap of the
thread that made them, where they leave holes that the next ones do not fit: a split that is read batch by batch would
take as much memory as if it were held. Other C libraries are not affected. Polars brings jemalloc, which by itself
keeps what it was given for ever: a limit of the process (`ulimit -d`) is reached with a fraction of it in use.
"""

import ctypes
import os
import sys

__all__ = ["ask_polars", "give_back_freed", "give_back_large_blocks", "keep_large_blocks"]

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
"""Parameters of mallopt(3)."""
GIVEN_BACK_BYTES = 2 << 20
KEPT_BYTES = 32 << 20
"""The largest that glibc chooses by itself."""

POLARS = {
    "_RJEM_MALLOC_CONF": "retain:false,dirty_decay_ms:200,muzzy_decay_ms:0",
    "POLARS_CSV_CHUNK_SIZE": str(2 << 20),
    "POLARS_ROW_GROUP_PREFETCH_SIZE": "1",
}
"""Environment variables: its jemalloc gives back what is free for 0.2 s; bytes of a text file that a thread reads at
once, 16 MiB by itself; and row groups of Parquet files that are read ahead."""

_given_back = False


def ask_polars() -> None:
    """Make polars give back what it has freed, and read little at once; called before polars is first imported."""
    for name, value in POLARS.items():
        os.environ.setdefault(name, value)


def give_back_large_blocks() -> None:
    """Make glibc give back blocks of a few MiB when they are freed, in this process, until `keep_large_blocks`.

    Threads that begin from then on share one heap for what is smaller.
    """
    global _given_back
    _mallopt(M_ARENA_MAX, 1)
    _given_back = _mallopt(M_MMAP_THRESHOLD, GIVEN_BACK_BYTES) or _given_back


def keep_large_blocks() -> None:
    """Make glibc keep them again, as each step without a stream needs those of the one before."""
    global _given_back
    if _given_back:
        _mallopt(M_MMAP_THRESHOLD, KEPT_BYTES)
        _mallopt(M_TRIM_THRESHOLD, 2 * KEPT_BYTES)
        _mallopt(M_ARENA_MAX, 0)
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
