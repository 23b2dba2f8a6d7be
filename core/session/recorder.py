"""Events of a run go to its log first, then onwards; a disk that cannot be written does not end the training."""

from collections.abc import Callable

from core.errors import RunError
from core.events import Event, Notice
from core.runs.log import EventLog

__all__ = ["Recorder"]


class Recorder:
    """Writes to a log that may fail for a while.

    Args:
        onwards: takes every event, also those that could not be logged.
    """

    def __init__(self, log: EventLog, onwards: Callable[[Event], None]) -> None:
        self._log, self._onwards = log, onwards
        self._failing = False

    def emit(self, event: Event) -> None:
        """Log an event and pass it on; a notice reports once that the log fails, and once that it is written again."""
        try:
            if self._failing:
                again = Notice(
                    level="warning",
                    message="the event log is being written again; earlier events are missing",
                )
                self._log.write(again)
                self._failing = False
                self._onwards(again)
            self._log.write(event)
        except RunError as error:
            if not self._failing:
                self._onwards(Notice(level="error", message=f"event log not written: {error}"))
            self._failing = True
        self._onwards(event)

    def close(self) -> None:
        """Close the log; a disk that fails then is reported, too."""
        try:
            self._log.close()
        except RunError as error:
            self._onwards(Notice(level="error", message=f"event log not written: {error}"))
