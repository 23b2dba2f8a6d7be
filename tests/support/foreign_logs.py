"""Logs of other tools in tests: read to their end, and by whatever writes them."""

from collections.abc import Iterable

from core.events import Event
from core.interop.readers.following import ForeignLog
from core.runs.history.history import History

__all__ = ["history_of", "points", "read_all"]


def read_all(log: ForeignLog) -> list[Event]:
    """Read until nothing more comes."""
    events: list[Event] = []
    while new := log.read() or log.read():
        events += new
    return events


def history_of(events: Iterable[Event]) -> History:
    """Return the history that some events make."""
    history = History()
    for event in events:
        history.apply(event)
    return history


def points(history: History, curve: str) -> list[tuple[float, float]]:
    """Return the points of a curve, rounded: logs hold 32 bits."""
    x, y = history.curve(curve).points()
    return [(round(float(a), 4), round(float(b), 4)) for a, b in zip(x, y, strict=True)]
