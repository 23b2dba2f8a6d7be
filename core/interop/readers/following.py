"""A log of another tool, followed as the events of a run."""

from pathlib import Path

from core.events import Event, Notice, RunFinished
from core.interop.readers.rows import LogRows, LogSource
from core.interop.readers.telling import Teller

__all__ = ["ForeignLog"]


class ForeignLog:
    """Reads a log as events, while it grows.

    Args:
        source: yields its rows.
    """

    def __init__(self, source: LogSource) -> None:
        self._source = source
        self._teller = Teller(source.tool, source.path)
        self._settings: object = None
        self._has_begun = False
        self._has_ended = False

    @property
    def path(self) -> Path:
        """The file or folder."""
        return self._source.path

    @property
    def tool(self) -> str:
        """Name of what wrote it."""
        return self._source.tool

    def read(self) -> list[Event]:
        """The events since the last call, of a bounded part of the log; none when there is nothing new.

        A run that was started again, or is understood in another way, yields `RunStarted` first.
        """
        while True:
            batch = self._source.read()
            events = self._told(batch)
            if not self._teller.mistaken and (not self._has_begun or self._settings == self._source.settings):
                return events
            self._source.rewind()
            self._has_begun = False

    def _told(self, batch: LogRows) -> list[Event]:
        teller = self._teller
        if batch.anew:
            self._has_begun = False
            teller.forget()
        events: list[Event] = [Notice(level="warning", message=problem) for problem in batch.problems]
        if batch.rows and not self._has_begun:
            self._has_begun, self._has_ended = True, False
            self._settings = dict(self._source.settings)
            events.insert(0, teller.begin(batch.rows[0].time, self._source.settings))
        elif batch.rows and self._has_ended:
            self._has_ended = False
            events.append(teller.start_again(batch.rows[0].time))
        emit = events.append
        for row in batch.rows:
            teller.take(row, emit)
            if teller.mistaken:
                return events
        if not batch.rows and self._has_begun:
            teller.flush(emit)
            if self._source.ending and not self._has_ended and not teller.mistaken:
                self._has_ended = True
                events.append(RunFinished(status=self._source.ending))
        return events
