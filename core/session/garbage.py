"""The garbage collector, kept away from objects that stay for as long as the process."""

import gc
import sys

__all__ = ["are_modules_frozen", "freeze_garbage_collector"]

MANY_MODULES = 400
"""A full collection walks through so many modules in about 0.01 s; those of torch are over 1,000."""
_modules_frozen = 0


def are_modules_frozen() -> bool:
    """Return whether few modules at most were imported since the last freeze, so that a full collection is short."""
    return len(sys.modules) < _modules_frozen + MANY_MODULES


def freeze_garbage_collector() -> None:
    """Freeze existing objects out of garbage collection, if many modules were imported since the last time.

    The modules of torch are several 100,000 objects that stay anyway. A full collection that walks through them holds
    up all threads, a training one too, for up to 0.3 s.
    """
    global _modules_frozen
    if not are_modules_frozen():
        gc.freeze()
        _modules_frozen = len(sys.modules)
