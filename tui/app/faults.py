"""Faults of the app itself: shown, with the app and the run in it going on.

A handler that raises ends its own message only. The app gives up where faults follow each other without end: it is then
unusable, and the run in it continues in a background process.
"""

import sys
import time
import traceback
from collections import deque
from typing import TYPE_CHECKING

from textual.worker import WorkerFailed

from core.errors import TorchtuiError
from tui.screens.dialogs import ErrorDialog
from tui.terminal.text import clean

if TYPE_CHECKING:
    from tui.app.app import TuiApp

__all__ = ["Faults"]

MAX_FAULTS = 100
SECONDS = 10.0
"""More than `MAX_FAULTS` in this time, and the app gives up."""


class Faults:
    """Faults so far; the same one is shown once."""

    def __init__(self) -> None:
        self._seen: set[tuple[str, str, int]] = set()
        self._times: deque[float] = deque(maxlen=MAX_FAULTS)

    def survive(self, app: "TuiApp", error: Exception) -> bool:
        """Show a fault, and print its traceback to where the output of the run is kept.

        Returns:
            False if the app cannot go on: there is no screen yet, or faults follow each other without end.
        """
        now = time.monotonic()
        endless = len(self._times) == MAX_FAULTS and now - self._times[0] < SECONDS
        if endless or app.current_mode not in app.MODES:
            return False
        self._times.append(now)
        if isinstance(error, WorkerFailed):
            error = error.error if isinstance(error.error, Exception) else error
        place = _place_of(error)
        if place not in self._seen:
            self._seen.add(place)
            trace = "".join(traceback.format_exception(error))
            print(trace, file=sys.stderr)
            app.call_later(_show, app, error, trace)
        return True


def _place_of(error: Exception) -> tuple[str, str, int]:
    """Return the type of an error and the line that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1] if frames else None
    return type(error).__name__, last.filename if last else "", (last.lineno or 0) if last else 0


def _show(app: "TuiApp", error: Exception, trace: str) -> None:
    """Show a fault in a dialog, or in a line where a dialog shows another one already."""
    text = f"torchtui made a mistake here: {type(error).__name__}: {error}"
    if isinstance(app.screen, ErrorDialog):
        app.notify(clean(text), severity="error", markup=False)
        return
    rest = "The run continues" if app.training_here else "The app continues"
    app.show_error(TorchtuiError(text, f"{rest}. Please report it, with the traceback"), trace)
