"""The statuses of a run, and what each of them allows."""

from typing import Final, Literal, get_args

__all__ = ["Ending", "Status", "has_failed", "is_active", "is_ended", "is_resumable", "is_starting"]

Ending = Literal["completed", "stopped", "diverged", "failed"]
"""Status of a run that recorded its end."""
Status = Literal["pending", "preparing", "running", "paused", Ending, "interrupted", "damaged"]

_ENDED: Final = frozenset(get_args(Ending))
_ACTIVE: Final = frozenset({"pending", "preparing", "running", "paused"})
_STARTING: Final = frozenset({"pending", "preparing"})
_RESUMABLE: Final = frozenset({"stopped", "interrupted", "failed"})
_FAILED: Final = frozenset({"diverged", "failed"})


def is_active(status: str) -> bool:
    """Return True while a process works on the run, or its job waits in a queue."""
    return status in _ACTIVE


def is_starting(status: str) -> bool:
    """Return True for a run that is to be trained, but is not yet."""
    return status in _STARTING


def is_ended(status: str) -> bool:
    """Return True for a run that recorded its end; neither an active nor an interrupted one did."""
    return status in _ENDED


def is_resumable(status: str) -> bool:
    """Return True for a run that stopped before it was complete and can be resumed with its own settings."""
    return status in _RESUMABLE


def has_failed(status: str) -> bool:
    """Return True for a run that ended in an error or in numbers that are not finite."""
    return status in _FAILED
