"""Private parts of plotext. Without them charts look the same, but take three times as long."""

from collections.abc import Iterator
from functools import cache
from typing import Any

__all__ = ["unlisted"]


def unlisted(signal: Any) -> Any:
    """Return a copy of a signal that iterates as empty, or the signal itself where that is impossible.

    A figure reads the colour of each point of a new signal, to choose other colours for the next one. That takes two
    thirds of the time of a chart, and is useless here: the colours are given.
    """
    try:
        kind: Any = type(signal)
        return _empty_to_iterate(kind)(0).clone(signal)
    except (AttributeError, TypeError):
        return signal


@cache
def _empty_to_iterate(kind: Any) -> Any:
    def nothing(signal: Any) -> Iterator[Any]:
        return iter(())

    return type("Unlisted", (kind,), {"__iter__": nothing})
