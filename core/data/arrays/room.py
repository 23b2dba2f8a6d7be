"""Free memory, looked at before it is used."""

from core.errors import DataError
from core.machine import memory

__all__ = ["check_room", "has_room"]

SPARE = 0.8
"""Part of the free memory that samples may take."""
LARGE = 64 << 20
"""Bytes up to which nothing is looked at."""
LESS = (
    "Return fewer or smaller samples, or bytes (uint8) in place of floats; or a Dataset with data.feed set to stream, "
    "which is read again in each epoch"
)


def check_room(needed: float, what: str, advice: str = LESS) -> None:
    """Make sure that so many bytes of memory are free.

    Args:
        what: takes them, in the plural, and `advice` what to do where they are not; for the message.

    Raises:
        DataError: they are not.
    """
    if not has_room(needed):
        free = memory().available
        raise DataError(
            f"{what} take {needed / 2**30:.1f} GiB of memory, {free / 2**30:.1f} are free", advice
        )


def has_room(needed: float) -> bool:
    """Return whether so many bytes of memory are free, or too few to look."""
    return needed < LARGE or needed <= SPARE * memory().available
