"""PyTorch, imported by one thread at a time, and kept from the garbage collector."""

import gc
import sys
import threading

__all__ = ["load_backend", "spare_the_collector"]

MANY_MODULES = 100
_lock = threading.Lock()
_spared = 0


def load_backend() -> None:
    """Import torch with the parts it would import later, and what trains with it; at once when that is done.

    Threads that need torch call this first. Its lazily imported parts import each other in circles: two threads
    that come to them from different ends wait for each other.
    """
    with _lock:
        import core.session.session  # noqa: F401

        spare_the_collector()


def spare_the_collector() -> None:
    """Let the garbage collector leave alone what there is, if many modules were imported since the last time.

    Theirs are several 100,000 objects that stay anyway. To look through them holds up all threads, a training one
    too, for up to 0.3 s each time.
    """
    global _spared
    if len(sys.modules) >= _spared + MANY_MODULES:
        gc.freeze()
        _spared = len(sys.modules)
