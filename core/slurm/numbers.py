"""Numbers and durations as Slurm's commands print them, and as people say them."""

import re

from core.counting import counted
from core.slurm.settings import seconds_of

__all__ = ["in_words", "number", "seconds"]


def number(text: str) -> int:
    """Return the number at the start of a text, as in ``4096+``; 0 without one."""
    match = re.match(r"\s*(\d+)", text)
    return int(match[1]) if match else 0


def seconds(text: str) -> int:
    """Return a duration; 0 where there is none, as in ``infinite`` or ``INVALID``."""
    try:
        return seconds_of(text.strip())
    except ValueError:
        return 0


def in_words(seconds: int) -> str:
    """Return a duration in the largest unit that it is a whole number of: ``2 days``, or ``90 minutes``."""
    units = {"day": 86_400, "hour": 3600, "minute": 60, "second": 1}
    unit = next(name for name, length in units.items() if not seconds % length)
    return counted(seconds // units[unit], unit)
