"""A worker process from inside: it never outlives the process that reads from it, and can be asked where it is."""

import ctypes
import faulthandler
import os
import signal
import sys
from collections.abc import Sequence
from typing import IO

__all__ = ["ASK", "Began"]

PR_SET_PDEATHSIG = 1
"""prctl(2): the signal that this process gets when the thread that started it is gone."""
ASK = getattr(signal, "SIGUSR1", signal.SIGINT)
"""Makes a worker write where it is, whatever it is doing."""


class Began:
    """Called in each worker when it begins.

    Args:
        stacks: a file for each worker, which it writes where it is into, when it is asked or crashes.
    """

    def __init__(self, stacks: Sequence[IO[bytes]]) -> None:
        self._stacks = stacks
        self._parent = os.getpid()

    def __call__(self, worker: int) -> None:
        """Prepare this process."""
        signal.signal(
            signal.SIGINT, signal.SIG_IGN
        )  # Ctrl-C reaches all; whoever reads decides, and ends this one
        _end_with_parent(self._parent)
        stack = self._stacks[worker]
        faulthandler.enable(stack, all_threads=False)
        if hasattr(faulthandler, "register"):
            faulthandler.register(ASK, stack, all_threads=False)


def _end_with_parent(parent: int) -> None:
    """Let the kernel kill this process when its parent is gone; elsewhere torch's own look every 5 seconds does."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # gone before that
            os._exit(1)
