"""Waiting in tests of the app: for a condition, while the app works."""

from collections.abc import Callable
from typing import Any

from textual.pilot import Pilot

__all__ = ["until"]


async def until(pilot: Pilot[Any], condition: Callable[[], object]) -> None:
    """Let the app work until `condition()` is true.

    Raises:
        AssertionError: it was not, for a minute.
    """
    for _ in range(12000):
        if condition():
            return
        await pilot.pause(0.005)
    raise AssertionError("it never came to that")
