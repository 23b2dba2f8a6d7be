"""Scales and round ticks: where a value stands on an axis, and which values get a number."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from core.runs.history.series import Floats
from tui.charts.series import LARGEST

__all__ = ["Scale", "Tick", "scale_for", "x_ticks", "y_ticks"]

FLAT = 1e-9
"""A range this small, relative to its values, is drawn as one value."""
ROOM = 0.02
GRAIN = 0.04
"""Room at the ends of an axis, and the least distance of its possible ends, as shares of the values' range."""
NEAR_ZERO = 0.05
"""An axis whose low end is this close to zero, relative to its high end, starts at zero."""
SPREAD_OF_ONE_VALUE = 0.1
DECADES_SKIPPED = (1, 2, 3, 5, 10, 20, 50, 100, 200)
MAX_STEPS_ACROSS, MAX_STEPS_UP = 9, 6
"""Steps between the numbers of an axis, however long it is: more would be noise."""
PREFIXES = ("", "k", "M", "G", "T")

Tick = tuple[int, str]
"""The cell it belongs to, counted from the low end of the axis, and its number."""


@dataclass(frozen=True)
class Scale:
    """An axis from ``low`` to ``high``; of a log axis these are the decimal logarithms of its ends."""

    low: float
    high: float
    log: bool = False

    def fractions(self, values: Floats) -> Floats:
        """Return the position of each value on the axis: 0 at its low end, 1 at its high end; NaN if nowhere."""
        with np.errstate(all="ignore"):
            if self.log:
                values = np.log10(np.where(values > 0, values, np.nan))
            return (values - self.low) / (self.high - self.low)

    def fraction(self, value: float | None) -> float:
        """The same for one value; NaN for None."""
        return float(self.fractions(np.array([math.nan if value is None else value]))[0])

    def value(self, fraction: float) -> float:
        """Return the value at a position on the axis; the inverse of `fraction`."""
        at = self.low + fraction * (self.high - self.low)
        return 10.0**at if self.log else at

    def cell(self, value: float, cells: int) -> int:
        """Return which of ``cells`` cells holds a value on the axis."""
        return min(max(int(self.fraction(value) * cells), 0), cells - 1)

    @property
    def ends(self) -> tuple[float, float]:
        return (10.0**self.low, 10.0**self.high) if self.log else (self.low, self.high)


def scale_for(
    values: Iterable[Floats],
    asked: tuple[float | None, float | None],
    *,
    log: bool = False,
    roomy: bool = False,
    integer: bool = False,
) -> Scale | None:
    """The axis that holds all finite values, or the part asked for; None if there is nothing to hold.

    Args:
        values: arrays of any length; on a log axis only positive values count.
        asked: low and high end; None takes the end from the values.
        log: whether the axis is logarithmic.
        roomy: leave some room at an end that was not asked for, up to a round value, so that the axis of a live
            chart rests while its values move; but never beyond zero.
        integer: one value gets half a unit to each side.
    """
    smallest = 1 / LARGEST if log else -LARGEST
    kept = [part[(part >= smallest) & (part <= LARGEST)] for part in values]
    found = [part for part in kept if part.size]
    ends = [end if end is not None and smallest <= end <= LARGEST else None for end in asked]
    if not found and None in ends:
        return None
    first = min(part.min() for part in found) if ends[0] is None else ends[0]
    last = max(part.max() for part in found) if ends[1] is None else ends[1]
    low, high = sorted(math.log10(end) if log else float(end) for end in (first, last))
    if high - low <= max(FLAT * max(abs(low), abs(high)), 1 / LARGEST):
        spread = SPREAD_OF_ONE_VALUE * abs(low) if abs(low) > 1 / LARGEST else 1.0
        spread = max(0.5, FLAT * abs(low)) if log or integer else spread
        return Scale(low - spread, high + spread, log)
    if not log and not integer and ends[0] is None and 0 < low < NEAR_ZERO * high:
        low = 0.0
    if not roomy:
        return Scale(low, high, log)
    grain = _round_step((high - low) * GRAIN)
    wide_low = math.floor((low - ROOM * (high - low)) / grain) * grain
    wide_high = math.ceil((high + ROOM * (high - low)) / grain) * grain
    if log:
        wide_low, wide_high = max(wide_low, -math.log10(LARGEST)), min(wide_high, math.log10(LARGEST))
    else:
        wide_low = 0.0 if wide_low < 0 <= low else wide_low
        wide_high = 0.0 if high <= 0 < wide_high else wide_high
    return Scale(wide_low if ends[0] is None else low, wide_high if ends[1] is None else high, log)


def _round_step(least: float) -> float:
    """The smallest of 1, 2 and 5 times a power of ten that is not smaller."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least)


def y_ticks(scale: Scale, rows: int) -> list[Tick]:
    """Numbers for a vertical axis: round ones with a free row between them; or else those of its ends."""
    for numbers in _round_numbers(scale, most=min(max(2, rows * 2 // 5), MAX_STEPS_UP)):
        ticks = [(scale.cell(value, rows), number) for value, number in numbers]
        if len(ticks) > 1 and all(after[0] - before[0] >= 2 for before, after in pairwise(ticks)):
            return ticks
    return [(0, _end_number(scale, 0)), (rows - 1, _end_number(scale, 1))]


def x_ticks(scale: Scale, columns: int, left: int, *, integer: bool = False) -> list[tuple[int, int, str]]:
    """Numbers for a horizontal axis: (column of the tick, column where the number starts, number).

    Numbers stand centred under their tick, never outside the chart, and two free columns apart.

    Args:
        scale: the axis.
        columns: its length in cells; 0 is its low end.
        left: free cells left of the axis into which the first number may reach.
        integer: only whole numbers.
    """
    most = min(max(3, columns // 7), MAX_STEPS_ACROSS)
    for numbers in _round_numbers(scale, most=most, integer=integer):
        ticks, end = [], -left - 2
        for value, number in numbers:
            column = scale.cell(value, columns)
            start = min(max(column - (len(number) - 1) // 2, -left), columns - len(number))
            if start < end + 2:
                break
            ticks.append((column, start, number))
            end = start + len(number)
        if ticks and len(ticks) == len(numbers):
            return ticks
    return []


def _round_numbers(scale: Scale, most: int, *, integer: bool = False) -> Iterator[list[tuple[float, str]]]:
    """Sets of round values and how to write them, from ``most`` steps between them down to one value or none."""
    # A log axis of less than a decade has too few powers of ten: it gets evenly spaced numbers.
    if scale.log and scale.high - scale.low >= 1:
        for values in _decades(scale, most):
            yield [(value, _formatted([value], value)[0]) for value in values]
        return
    low, high = scale.ends
    exponent = math.floor(math.log10((high - low) / most))
    while 10.0**exponent <= high - low:
        for step in (10.0**exponent, 2 * 10.0**exponent, 5 * 10.0**exponent):
            if (high - low) / step <= most and (not integer or step >= 1):
                # A little tolerance keeps an end of the axis that is itself round.
                first, last = math.ceil(low / step - 1e-6), math.floor(high / step + 1e-6)
                values = [multiple * step for multiple in range(first, last + 1)]
                yield list(zip(values, _formatted(values, step), strict=True))
        exponent += 1


def _decades(scale: Scale, most: int) -> Iterator[list[float]]:
    first, last = math.floor(scale.low), math.ceil(scale.high)
    if 3 * (scale.high - scale.low) <= most:
        fine = [factor * 10.0**e for e in range(first, last + 1) for factor in (1, 2, 5)]
        yield [value for value in fine if scale.low - 1e-6 <= math.log10(value) <= scale.high + 1e-6]
    for skip in DECADES_SKIPPED:
        exponents = range(math.ceil(scale.low / skip - 1e-6), math.floor(scale.high / skip + 1e-6) + 1)
        yield [10.0 ** (skip * multiple) for multiple in exponents]


def _end_number(scale: Scale, end: int) -> str:
    """Return the number at an end of the axis that is not round, with enough digits to distinguish both ends."""
    low, high = scale.ends
    return _formatted([low, high], (high - low) / 10)[end]


def _formatted(values: list[float], step: float) -> list[str]:
    """All values with the decimals the step needs: ``0.25``, ``2000``, ``20k``, ``5e-7``."""
    largest = max(map(abs, values), default=0)
    if largest == 0 or step == 0:
        return ["0"] * len(values)
    power = math.floor(math.log10(largest) + 1e-9)
    exponent, unit = 0, ""
    if power < -3 or power >= 3 * len(PREFIXES):
        exponent, unit = power, f"e{power}"
    elif power >= 4:
        exponent, unit = power - power % 3, PREFIXES[power // 3]
    decimals = max(0, -math.floor(math.log10(step) - exponent + 1e-9))
    return [
        "0" if abs(value) < step / 2 else f"{value / 10.0**exponent:.{decimals}f}{unit}" for value in values
    ]
