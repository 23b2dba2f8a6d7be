"""The garbage collector, kept away from objects that stay for as long as the process."""

import gc
import sys

__all__ = ["freeze_garbage_collector"]

MANY_MODULES = 100
_modules_frozen = 0


def freeze_garbage_collector() -> None:
    """Freeze existing objects out of garbage collection, if many modules were imported since the last time.

    The modules of torch are several 100,000 objects that stay anyway. A full collection that walks through them holds
    up all threads, a training one too, for up to 0.3 s.
    """
    global _modules_frozen
    if len(sys.modules) >= _modules_frozen + MANY_MODULES:
        gc.freeze()
        _modules_frozen = len(sys.modules)
