"""A terminal that goes away does not end a training: the run goes on in a background process."""

import os
import signal
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.app.app import TuiApp

__all__ = ["ignore_late_hangup", "survive_hangup"]

LEAVING = (signal.SIGHUP, signal.SIGTERM, signal.SIGUSR1)


def survive_hangup(app: "TuiApp") -> None:
    """On SIGHUP (the connection dropped) save the run and go on with it in the background; then leave.

    SIGTERM and SIGUSR1 (Slurm's early warning) save it and leave. Nothing more is drawn: nobody is there to see it.
    The first of them counts, and those that follow change nothing.
    """
    signal.signal(signal.SIGHUP, _leaving_after(app.detach))
    for number in (signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, _leaving_after(app.stop_training))


def ignore_late_hangup() -> None:
    """Let SIGHUP change nothing any more: the app has been left, and its process only ends."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def _leaving_after(last_act: Callable[[], object]) -> Callable[[int, FrameType | None], None]:
    """A handler that does one thing, once, and ends the process whatever comes of it."""

    def leave(number: int, frame: FrameType | None) -> None:
        for other in LEAVING:  # a dropped connection may tell it twice, a machine that shuts down in two ways
            signal.signal(other, signal.SIG_IGN)
        try:
            last_act()
        finally:
            os._exit(128 + number)

    return leave
