"""History of a run with few of its steps: curves and facts, read quickly however long it ran."""

from dataclasses import replace
from pathlib import Path

from core.events import EpochFinished, Event
from core.runs.folder import Run
from core.runs.history.history import History
from core.runs.log import LogReader

__all__ = ["Outline", "Thinning"]

MAX_BYTES = 1 << 28
"""Of a longer log only the beginning and this much of the end are read."""
STEP, SYSTEM = b'"step_logged"', b'"system_sampled"'
DENSITY = 250
"""So many logged steps are read from the first ones, and again whenever the run has become 2.7 times as long."""
LARGEST = 1 << 53
"""Larger whole numbers are none of ours; as floats, which charts are made of, they are not exact or not there."""


class Thinning:
    """Picks some of many steps, ever fewer."""

    def __init__(self) -> None:
        self._steps, self._next = 0, 1

    def wants_next(self) -> bool:
        """Return whether the next step is one of those that are read."""
        self._steps += 1
        if self._steps < self._next:
            return False
        self._next += max(1, self._steps // DENSITY)
        return True


class Outline:
    """Reads the log of a run into a history; call `read` until it gives False, and again when the log has grown.

    Attributes:
        history: the curves by epoch and all events, without confusion matrices; of logged steps ever fewer.
        skipped: bytes in the middle of a very long log that were left out.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.history = History()
        self.skipped = 0
        self._reader = _EpochReader(run.log_file)

    @property
    def damaged(self) -> int:
        """Lines so far that are no events, or that contradict the others."""
        return self._reader.damaged + self.history.unfit

    def read(self) -> bool:
        """Take in some megabytes more; False when there was nothing more to take in."""
        before = self._reader.offset
        for event in self._reader.read():
            self.history.apply(event)
        if not before:
            self.skipped = self._reader.skip_to_last(MAX_BYTES)
        return self._reader.offset > before


class _EpochReader(LogReader):
    """Leaves out most steps without reading them as JSON, and confusion matrices."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._thinning = Thinning()

    def skip_to_last(self, count: int) -> int:
        """Continue with the last `count` bytes if more are left; return the number skipped."""
        try:
            left = self.path.stat().st_size - count - self.offset
        except OSError:
            return 0
        if left <= 0:
            return 0
        self.offset += left
        self._torn = bytearray(SYSTEM)  # the line we land in is cut: it is left out like a sample
        return left

    def _parse(self, line: bytes) -> Event | None:
        if SYSTEM in line or (STEP in line and not self._thinning.wants_next()):
            return None
        event = super()._parse(line)
        return replace(event, confusion=[], class_counts=[]) if isinstance(event, EpochFinished) else event
