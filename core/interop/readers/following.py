"""A log of another tool, followed as the events of a run."""

from collections.abc import Callable
from pathlib import Path

from core.errors import RunDamaged
from core.events import Event, MediaLogged, Notice, RunFinished
from core.interop.readers.rows import LogItem, LogRows, LogSource
from core.interop.readers.telling import Teller
from core.runs.media.stored import Medium

__all__ = ["ForeignLog", "no_medium"]


def no_medium(path: Path, event: MediaLogged) -> Medium:
    """Return an item of a log whose format has none.

    Raises:
        RunDamaged: always.
    """
    raise RunDamaged(f"{path.name} has no {event.kind}")


class ForeignLog:
    """Reads a log as events, while it grows.

    Args:
        source: yields its rows.
        medium: reads an image, a text or a histogram of the log at a path.
    """

    def __init__(self, source: LogSource, medium: Callable[[Path, MediaLogged], Medium] = no_medium) -> None:
        self._source, self._medium = source, medium
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

    def read_medium(self, event: MediaLogged) -> Medium:
        """Return an image, a text or a histogram of the log.

        Raises:
            RunDamaged: it is no longer there, or damaged.
        """
        return self._medium(self.path, event)

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
        first = next((each.time for part in (batch.rows, batch.items) for each in part[:1]), None)
        if first is not None and not self._has_begun:
            self._has_begun, self._has_ended = True, False
            self._settings = dict(self._source.settings)
            events.insert(0, teller.begin(first, self._source.settings))
        elif first is not None and self._has_ended:
            self._has_ended = False
            events.append(teller.start_again(first))
        emit = events.append
        for row in batch.rows:
            teller.take(row, emit)
            if teller.mistaken:
                return events
        events += map(_logged, batch.items)
        if first is None and self._has_begun:
            teller.flush(emit)
            if self._source.ending and not self._has_ended and not teller.mistaken:
                self._has_ended = True
                events.append(RunFinished(status=self._source.ending))
        return events


def _logged(item: LogItem) -> MediaLogged:
    """Return the event of an image, a text or a histogram; a step that goes back is known by its number."""
    kind, name, step, time, place, caption = item
    return MediaLogged(
        time=time, kind=kind, name=name, step=step, epoch=0, done=0, file=place, caption=caption
    )
