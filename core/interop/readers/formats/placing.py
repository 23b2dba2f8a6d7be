"""Places the rows of a table by its columns of steps, epochs and times."""

from collections.abc import Mapping

from core.interop.readers.formats.columns import LogColumns
from core.interop.readers.rows import MAX_STEP, EpochColumn, LogRow

__all__ = ["Placing"]

CLOCK = 1e9
"""Larger times are seconds since 1970, and a thousand times larger ones milliseconds; others count from the start."""


class Placing:
    """Turns numbers by column into rows.

    Attributes:
        is_mistaken: epochs that looked whole are not: the table must be read again from its start.
    """

    def __init__(self) -> None:
        self._epochs = EpochColumn()
        self.rewind()

    def rewind(self) -> None:
        """Start over."""
        self._epochs.rewind()
        self.is_mistaken = False
        self._step = self._rows = 0
        self._start: float | None = None
        self._named = False

    def row(self, columns: LogColumns, values: Mapping[str, float], modified: float) -> LogRow | None:
        """Return a row; None where its step is not one, or it has no numbers.

        Args:
            values: all numbers of the row, by column.
            modified: when the file was written last, in seconds since 1970.
        """
        numbers = {name: values[name] for name in columns.numbers if name in values}
        if not numbers:
            return None
        epoch = self._epochs.number(values.get(columns.epoch)) if columns.epoch else 0
        self.is_mistaken = self._epochs.is_fractional and self._named
        self._named = self._named or epoch > 0
        self._rows += 1
        moment = self._moment(values.get(columns.time), modified)
        if not columns.step:
            if columns.epoch not in values and not self._epochs.is_fractional:
                return None
            return LogRow(epoch or self._rows, moment, numbers, epoch, ends_epoch=epoch > 0)
        step = values.get(columns.step, self._step)
        if not 0 <= step < MAX_STEP:
            return None
        self._step = int(step)
        return LogRow(self._step, moment, numbers, epoch)

    def _moment(self, time: float | None, modified: float) -> float:
        if time is None or not abs(time) < CLOCK * 1e4:
            return modified
        if time > CLOCK:
            return time / 1000 if time > CLOCK * 1000 else time
        if self._start is None:
            self._start = modified - time
        return self._start + time
