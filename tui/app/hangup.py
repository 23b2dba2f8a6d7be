"""A lost terminal does not stop training: the run continues in a background process."""

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
    """On SIGHUP (the connection dropped) save the run, continue it in the background, and quit.

    SIGTERM and SIGUSR1 (Slurm's early warning) save it and quit. Nothing more is drawn, since nobody can see it.
    Only the first of these signals counts.
    """
    signal.signal(signal.SIGHUP, _leaving_after(app.detach))
    for number in (signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, _leaving_after(app.stop_training))


def ignore_late_hangup() -> None:
    """Ignore SIGHUP from now on: the app has quit, and its process is exiting."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def _leaving_after(last_act: Callable[[], object]) -> Callable[[int, FrameType | None], None]:
    """Return a handler that runs an action once, and then exits whatever its outcome."""

    def leave(number: int, frame: FrameType | None) -> None:
        for other in LEAVING:  # a dropped connection may send it twice, a shutdown may send several signals
            signal.signal(other, signal.SIG_IGN)
        try:
            last_act()
        finally:
            os._exit(128 + number)

    return leave
