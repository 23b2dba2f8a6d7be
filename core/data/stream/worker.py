"""A worker process from inside: it never outlives the process that reads from it, and can be asked where it is."""

import faulthandler
import os
import signal
from collections.abc import Sequence
from typing import IO

from core.processes.endings import end_with_parent

__all__ = ["ASK", "Began"]

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
        end_with_parent(self._parent, signal.SIGKILL)  # elsewhere torch's own look every 5 seconds ends it
        stack = self._stacks[worker]
        faulthandler.enable(stack, all_threads=False)
        if hasattr(faulthandler, "register"):
            faulthandler.register(ASK, stack, all_threads=False)
