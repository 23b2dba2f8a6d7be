"""Private parts of plotext. Without them charts look the same, but take three times as long."""

import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

__all__ = ["leave_to_the_system", "unlisted"]


def unlisted(signal: Any) -> Any:
    """Return a copy of a signal that iterates as empty, or the signal itself where that is impossible.

    A figure reads the colour of each point of a new signal, to choose other colours for the next one. That takes two
    thirds of the time of a chart, and is useless here: the colours are given.
    """
    try:
        kind: Any = type(signal)
        leave_to_the_system(kind)
        return _empty_to_iterate(kind)(0).clone(signal)
    except (AttributeError, TypeError):
        return signal


@cache
def leave_to_the_system(kind: Any) -> None:
    """Let signals that are left when Python ends go without their destructor, whose modules are gone by then.

    It would print an error for each of them below what the app says when it is left.
    """
    release, ends = getattr(kind, "__del__", None), sys.is_finalizing
    if release is None:
        return

    def released(signal: Any) -> None:
        if not ends():
            release(signal)

    kind.__del__ = released


@cache
def _empty_to_iterate(kind: Any) -> Any:
    def nothing(signal: Any) -> Iterator[Any]:
        return iter(())

    return type("Unlisted", (kind,), {"__iter__": nothing})
