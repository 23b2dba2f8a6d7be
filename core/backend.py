"""PyTorch, imported by one thread at a time."""

import threading

__all__ = ["load_backend"]

_lock = threading.Lock()


def load_backend() -> None:
    """Import torch with the parts it would import later, and what trains with it; at once when that is done.

    Threads that need torch call this first. Its lazily imported parts import each other in circles: two threads
    that come to them from different ends wait for each other.
    """
    with _lock:
        import core.session  # noqa: F401
