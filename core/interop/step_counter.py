"""Numbers of the steps of a script, which counts them in its own way, or not at all."""

import math
from typing import Any

from core.errors import DataError

__all__ = ["StepCounter", "whole_step"]

MAX_STEP = 1 << 53


class StepCounter:
    """Turns the steps that calls name into steps that never decrease.

    The same step again is that step: its metrics come in several calls. A count that starts again, as the batches of
    the next epoch do, is moved on by what was counted before. A step from before, while the count goes on, is taken
    for the current one. Without a number each call is a step.

    Attributes:
        step: the latest one; 0 before the first.
        late: whether the last call named a step from before. restarted: whether it started the count again.
    """

    def __init__(self, step: int = 0) -> None:
        self.step = step
        self.late = self.restarted = False
        self._given: int | None = None
        self._first = 0
        self._before = 0
        self._epoch_began = True

    def advance(self, given: Any = None) -> int:
        """Return the step of a call.

        Raises:
            DataError: what is given is not a step.
        """
        self.late = self.restarted = False
        if given is None:
            self.step, self._epoch_began = self.step + 1, False
            return self.step
        number = whole_step(given)
        if self._given is None:
            self.restarted = 0 < self.step >= number
        elif number > self._given:
            self.restarted = False
        elif number == self._first < self._given or (number <= self._first and self._epoch_began):
            self.restarted = True
        elif number < self._given:
            self.late = True
            return self.step
        if self.restarted or self._given is None:
            self._first = number
            self._before = self.step + 1 - number if self.restarted else 0
        self._given, self._epoch_began = number, False
        self.step = max(self.step, number + self._before)
        return self.step

    def start_epoch(self, epochs: int) -> None:
        """Note that an epoch has ended, of which there have been so many; one without calls is a step."""
        if self._epoch_began:
            self.step = max(self.step, epochs)
        self._epoch_began = True


def whole_step(given: Any) -> int:
    """Return a step as an integer.

    Raises:
        DataError: it is not a whole number from 0 to 2^53.
    """
    try:
        number = float(given)
    except (TypeError, ValueError):
        number = math.nan
    if not (0 <= number <= MAX_STEP and number == int(number)):
        raise DataError(f"step: got {given!r:.60}", "Give the number of steps done, from 0")
    return int(number)
