"""Ends of processes: in words, and when the one that started them is gone."""

import ctypes
import os
import signal
import sys
from contextlib import suppress

__all__ = [
    "LAUNCHER",
    "REASON",
    "advice_for",
    "end_with_launcher",
    "end_with_parent",
    "ending_of",
    "leave_reason",
]

PR_SET_PDEATHSIG = 1
"""prctl(2): the signal that this process gets when the thread that started it is gone."""
LAUNCHER = "TUI_LAUNCHER"
"""Names, to each of several processes, the one that started and watches them."""

REASON = "TUI_REASON"
"""Names, to each of several processes, the open file in which it leaves why it failed."""


def leave_reason(text: str) -> None:
    """Leave, in one line, why this process failed: the first process may wait for it and never learn."""
    if handle := os.environ.get(REASON):
        with suppress(OSError):
            os.write(int(handle), f"{text}\n".encode())


def end_with_parent(parent: int, number: signal.Signals) -> None:
    """Let the kernel send this process a signal when its parent is gone, or end it if it is gone; Linux alone can."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
        if os.getppid() != parent:  # gone before that
            os._exit(1)


def end_with_launcher() -> None:
    """Let this process save and stop when the launcher that started it is gone, if one did."""
    if parent := os.environ.get(LAUNCHER):
        end_with_parent(int(parent), signal.SIGTERM)


def ending_of(exit_code: int) -> str:
    """Return how a process ended, in words that follow its name."""
    if exit_code < 0:
        try:
            return f"was killed by {signal.Signals(-exit_code).name}"
        except ValueError:
            return f"was killed by signal {-exit_code}"
    return f"exited with code {exit_code}"


def advice_for(number: int) -> str:
    """Return what to do about a process that was lost to a signal, as the start of a hint."""
    if number == signal.SIGKILL:
        return "If memory is full, use fewer processes. "
    if number == signal.SIGABRT:
        return (
            "Where its output tells of a collective mismatch, the processes took different paths through the network: "
            "let none depend on the samples of one process alone. "
        )
    return "Its output, after its rank, may say why. "
