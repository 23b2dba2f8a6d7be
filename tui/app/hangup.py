"""Signals to the app: a lost terminal does not stop training, and every signal leaves the terminal as it was."""

import os
import signal
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING

from tui.runtime.signals import Handler, not_in_forks
from tui.terminal.text import clean
from tui.terminal.title import GIVE_BACK

if TYPE_CHECKING:
    from tui.app.app import TuiApp
    from tui.runtime.capture import Capture

__all__ = ["ignore_late_hangup", "survive_hangup"]

LEAVING = (signal.SIGHUP, signal.SIGTERM, signal.SIGUSR1)


def survive_hangup(app: "TuiApp", capture: "Capture") -> None:
    """On SIGHUP (the connection dropped) save the run, continue it in the background, and quit.

    SIGTERM and SIGUSR1 (Slurm's early warning) save it and quit. Nothing more is drawn, and the terminal is given
    back first: who waits for the end may lose patience. Only the first of these signals counts.
    """
    signal.signal(signal.SIGHUP, _leaving_after(app.detach, app, capture))
    for number in (signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, _leaving_after(app.stop_training, app, capture))


def ignore_late_hangup() -> None:
    """Ignore SIGHUP from now on: the app has quit, and its process is exiting."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def _leaving_after(last_act: Callable[[], str], app: "TuiApp", capture: "Capture") -> Handler:
    """Return a handler that runs an action once, tells what it returns, and exits whatever its outcome."""

    @not_in_forks
    def leave(number: int, frame: FrameType | None) -> None:
        for other in LEAVING:  # a dropped connection may send it twice, a shutdown may send several signals
            signal.signal(other, _do_nothing)
        before = signal.signal(
            signal.SIGTTOU, signal.SIG_IGN
        )  # sent to who changes a terminal from the background
        try:
            capture.leave_screen(GIVE_BACK if app.has_terminal_title else "")
            signal.signal(signal.SIGTTOU, before)
            words = last_act()
            app.keep_printed(to_the_end=True)
            capture.tell(clean(words))
        finally:
            os._exit(128 + number)

    return leave


def _do_nothing(number: int, frame: FrameType | None) -> None:
    """Ignore a signal, but not in the process that takes the run over: that would inherit being ignored."""
