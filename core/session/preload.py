"""PyTorch, imported by one thread at a time, and so that other threads go on meanwhile."""

import ctypes
import gc
import os
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from core.session.garbage import freeze_garbage_collector

__all__ = ["load_backend"]

# It comes with scikit-learn, and warns where there are no semaphores, as without /dev/shm; nothing here needs them.
warnings.filterwarnings("ignore", ".*joblib will operate in serial mode", UserWarning)

LIBRARIES = ("libtorch_python.so", "libtorch_python.dylib")
SWITCH_SECONDS = 0.001
"""After which another thread gets the interpreter while torch is imported; 0.005 otherwise."""

_lock = threading.Lock()


def load_backend() -> None:
    """Import torch with the parts it would import later, and what trains with it; returns at once when that is done.

    Threads that need torch call this first. Its lazily imported parts import each other in circles: two threads
    that enter such a circle at different points wait for each other.
    """
    with _lock:
        if "torch" not in sys.modules:
            _open_libraries()
        with _other_threads_first():
            import core.session.lifecycle  # noqa: F401

            freeze_garbage_collector()


def _open_libraries() -> bool:
    """Open the native libraries of torch; return whether they were found.

    Opening them takes up to a second, in which an import holds the interpreter, and with it the keys of a user; a
    call through ctypes does not. The import then finds them open. Where this fails the import says why.
    """
    torch = find_spec("torch")
    folders = torch.submodule_search_locations if torch is not None else None
    if os.name != "posix" or not folders:
        return False
    dlopen = ctypes.CDLL(None).dlopen
    dlopen.restype = ctypes.c_void_p
    paths = [Path(folders[0]) / "lib" / name for name in LIBRARIES]
    return any(dlopen(os.fsencode(path), os.RTLD_LAZY) for path in paths if path.exists())


@contextmanager
def _other_threads_first() -> Iterator[None]:
    """Context manager in which no garbage collection holds up all threads, and each soon gets its turn."""
    interval, is_enabled = sys.getswitchinterval(), gc.isenabled()
    gc.disable()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        if is_enabled:
            gc.enable()
