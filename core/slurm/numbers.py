"""Numbers and durations as Slurm's commands print them."""

import re

from core.slurm.settings import seconds_of

__all__ = ["number", "seconds"]


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
