"""What a run has said, without its steps: the curves by epoch and the facts, quickly however long it ran."""

from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from core.events import EpochFinished, Event
from core.runs.folder import Run
from core.runs.history import History
from core.runs.log import LogReader

__all__ = ["Outline"]

MOST_BYTES = 1 << 28
"""Of a longer log only the beginning and this much of the end are read."""
LARGEST = 1 << 53
"""Larger whole numbers are none of ours; as floats, which charts are made of, they are not exact or not there."""


class Outline:
    """Reads the log of a run into a history; call `read` until it gives False, and again when the log has grown.

    Attributes:
        history: the curves by epoch and all events but the steps, without confusion matrices.
        skipped: bytes in the middle of a very long log that were left out.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.history = History()
        self.skipped = 0
        self._reader = _EpochReader(run.log_file)
        self._unfit = 0

    @property
    def damaged(self) -> int:
        """Lines so far that are no events, or that contradict the others."""
        return self._reader.damaged + self._unfit

    def read(self) -> bool:
        """Take in some megabytes more; False when there was nothing more to take in."""
        before = self._reader.offset
        for event in self._reader.read():
            try:
                self.history.apply(event)
            except (ArithmeticError, ValueError):
                self._unfit += 1
        if not before:
            self.skipped = self._reader.skip_to_last(MOST_BYTES)
        return self._reader.offset > before


class _EpochReader(LogReader):
    """Leaves out steps without reading them as JSON, and events whose values are of another kind than ours."""

    @property
    def offset(self) -> int:
        """Bytes read so far."""
        return self._offset

    def skip_to_last(self, count: int) -> int:
        """Go on with the last `count` bytes, if more are left; the number left out."""
        try:
            left = self.path.stat().st_size - count - self._offset
        except OSError:
            return 0
        if left <= 0:
            return 0
        self._offset += left
        self._torn = b'"step_logged"'  # the line we land in is cut: it is left out like a step
        return left

    def _parse(self, line: bytes) -> Event | None:
        event = None if b'"step_logged"' in line else super()._parse(line)
        if event is None:
            return None
        values = vars(event) | ({"confusion": []} if isinstance(event, EpochFinished) else {})
        try:
            checked: Event = _adapters()[type(event)].validate_python(values)
        except ValidationError:
            self.damaged += 1
            return None
        if any(isinstance(value, int) and abs(value) > LARGEST for value in vars(checked).values()):
            self.damaged += 1
            return None
        return checked


@cache
def _adapters() -> dict[type[Event], TypeAdapter[Any]]:
    """What checks each kind of event; made once, since that takes some milliseconds."""
    return {kind: TypeAdapter(kind) for kind in Event.__subclasses__()}
