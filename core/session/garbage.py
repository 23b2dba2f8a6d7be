"""Memory before training: objects that stay kept from the garbage collector, and what loading freed given back."""

import gc
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.data.dataset import Dataset

__all__ = ["are_modules_frozen", "freeze_garbage_collector", "give_back_what_loading_left"]

MANY_MODULES = 400
"""A full collection walks through so many modules in about 0.01 s; those of torch are over 1,000."""
LARGE = 64 << 20
"""Bytes of data whose loading leaves holes in memory that are worth giving back."""
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


def give_back_what_loading_left(data: "Dataset") -> None:
    """Give back the memory that was freed while large data was loaded: training needs blocks of other sizes."""
    if sum(split.inputs.nbytes for split in data.splits.values()) >= LARGE:
        from core.data.stream.memory import give_back_freed  # and ctypes, which the first screen does without

        give_back_freed()
