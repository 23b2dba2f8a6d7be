"""PyTorch, imported by one thread at a time."""

import threading
import warnings

from core.garbage import freeze_garbage_collector

__all__ = ["load_backend"]

# It comes with scikit-learn, and warns where there are no semaphores, as without /dev/shm; nothing here needs them.
warnings.filterwarnings("ignore", ".*joblib will operate in serial mode", UserWarning)

_lock = threading.Lock()


def load_backend() -> None:
    """Import torch with the parts it would import later, and what trains with it; returns at once when that is done.

    Threads that need torch call this first. Its lazily imported parts import each other in circles: two threads
    that enter such a circle at different points wait for each other.
    """
    with _lock:
        import core.session.lifecycle  # noqa: F401

        freeze_garbage_collector()
