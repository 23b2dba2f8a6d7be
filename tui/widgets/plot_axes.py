"""Scales and round ticks: where a value stands on an axis, and which values get a number."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tui.widgets.series import LARGEST, Floats

__all__ = ["Scale", "Tick", "scale_for", "x_ticks", "y_ticks"]

FLAT = 1e-9
"""A range this small, relative to its values, is drawn as one value."""
MARGIN = 0.04
NEAR_ZERO = 0.05
"""An axis whose low end is this close to zero, relative to its high end, begins at zero."""
SPREAD_OF_ONE_VALUE = 0.1
DECADES_SKIPPED = (1, 2, 3, 5, 10, 20, 50, 100, 200)
MOST_ROUND_VALUES = (9, 6)
"""Steps between numbers on a horizontal and on a vertical axis, however long: more would be noise."""
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
        """How far along the axis each value stands: 0 at its low end, 1 at its high end; NaN if nowhere."""
        with np.errstate(all="ignore"):
            if self.log:
                values = np.log10(np.where(values > 0, values, np.nan))
            return (values - self.low) / (self.high - self.low)

    def fraction(self, value: float | None) -> float:
        """The same for one value; NaN for None."""
        return float(self.fractions(np.array([math.nan if value is None else value]))[0])

    def cell(self, value: float, cells: int) -> int:
        """In which of ``cells`` cells a value on the axis stands."""
        return min(max(int(self.fraction(value) * cells), 0), cells - 1)

    @property
    def ends(self) -> tuple[float, float]:
        return (10.0**self.low, 10.0**self.high) if self.log else (self.low, self.high)


def scale_for(
    values: Iterable[Floats],
    asked: tuple[float | None, float | None],
    *,
    log: bool = False,
    margin: float = MARGIN,
    integer: bool = False,
) -> Scale | None:
    """The axis that holds all finite values, or the part asked for; None if there is nothing to hold.

    Args:
        values: arrays of any length; on a log axis only positive values count.
        asked: low and high end; None takes the end from the values and adds the margin.
        log: whether the axis is logarithmic.
        margin: share of the axis left free at each end that was not asked for; never beyond zero.
        integer: one value gets half a unit to each side.
    """
    smallest = 10.0**-300 if log else -LARGEST
    kept = [part[(part >= smallest) & (part <= LARGEST)] for part in values]
    found = [part for part in kept if part.size]
    ends = [end if end is not None and smallest <= end <= LARGEST else None for end in asked]
    if not found and None in ends:
        return None
    low = min(part.min() for part in found) if ends[0] is None else ends[0]
    high = max(part.max() for part in found) if ends[1] is None else ends[1]
    if log:
        low, high = math.log10(low), math.log10(high)
    low, high = float(min(low, high)), float(max(low, high))
    if high - low <= max(FLAT * max(abs(low), abs(high)), 1 / LARGEST):
        spread = SPREAD_OF_ONE_VALUE * abs(low) if abs(low) > 1 / LARGEST else 1.0
        spread = 0.5 if log or integer else spread
        return Scale(low - spread, high + spread, log)
    if not log and not integer and ends[0] is None and 0 < low < NEAR_ZERO * high:
        low = 0.0
    room = margin * (high - low)
    return Scale(
        low if ends[0] is not None else _not_beyond_zero(low, low - room, log),
        high if ends[1] is not None else _not_beyond_zero(high, high + room, log),
        log,
    )


def _not_beyond_zero(end: float, widened: float, log: bool) -> float:
    return 0.0 if not log and (widened < 0 <= end or end <= 0 < widened) else widened


def y_ticks(scale: Scale, rows: int) -> list[Tick]:
    """Numbers for a vertical axis: round ones with a free row between them; or else those of its ends."""
    for values in _round_values(scale, most=min(max(2, rows * 2 // 5), MOST_ROUND_VALUES[1])):
        cells = [scale.cell(value, rows) for value in values]
        if len(values) > 1 and all(after - before >= 2 for before, after in pairwise(cells)):
            return list(zip(cells, _labels(values, scale), strict=True))
    return [(0, _end_label(scale, 0)), (rows - 1, _end_label(scale, 1))]


def x_ticks(scale: Scale, columns: int, left: int, *, integer: bool = False) -> list[tuple[int, int, str]]:
    """Numbers for a horizontal axis: (column of the tick, column where the number starts, number).

    Numbers stand centred under their tick, never outside the chart, and two free columns apart.

    Args:
        scale: the axis.
        columns: its length in cells; 0 is its low end.
        left: free cells left of the axis into which the first number may reach.
        integer: only whole numbers.
    """
    most = min(max(2, columns // 7), MOST_ROUND_VALUES[0])
    for values in _round_values(scale, most=most, integer=integer):
        placed = []
        for value, label in zip(values, _labels(values, scale), strict=True):
            column = scale.cell(value, columns)
            start = min(max(column - (len(label) - 1) // 2, -left), columns - len(label))
            placed.append((column, start, label))
        fits = all(start >= -left for _, start, _ in placed)
        if (
            placed
            and fits
            and all(after[1] - before[1] - len(before[2]) >= 2 for before, after in pairwise(placed))
        ):
            return placed
    return []


def _round_values(scale: Scale, most: int, *, integer: bool = False) -> Iterator[list[float]]:
    """Sets of round values on the axis, from ``most`` steps between them down to one value or none."""
    low, high = scale.ends
    if _counts_decades(scale):
        yield from _decades(scale, most)
        return
    exponent = math.floor(math.log10((high - low) / most))
    while 10.0**exponent <= high - low:
        for step in (10.0**exponent, 2 * 10.0**exponent, 5 * 10.0**exponent):
            if (high - low) / step <= most and (not integer or step >= 1):
                # A little tolerance keeps an end of the axis that is itself round.
                first, last = math.ceil(low / step - 1e-6), math.floor(high / step + 1e-6)
                yield [multiple * step for multiple in range(first, last + 1)]
        exponent += 1


def _counts_decades(scale: Scale) -> bool:
    """A log axis of less than a decade has too few powers of ten: it gets evenly spaced numbers."""
    return scale.log and scale.high - scale.low >= 1


def _decades(scale: Scale, most: int) -> Iterator[list[float]]:
    first, last = math.floor(scale.low), math.ceil(scale.high)
    if 3 * (scale.high - scale.low) <= most:
        fine = [factor * 10.0**e for e in range(first, last + 1) for factor in (1, 2, 5)]
        yield [value for value in fine if scale.low - 1e-6 <= math.log10(value) <= scale.high + 1e-6]
    for skip in DECADES_SKIPPED:
        exponents = range(math.ceil(scale.low / skip - 1e-6), math.floor(scale.high / skip + 1e-6) + 1)
        yield [10.0 ** (skip * multiple) for multiple in exponents]


def _labels(values: list[float], scale: Scale) -> list[str]:
    if not _counts_decades(scale):
        step = values[1] - values[0] if len(values) > 1 else abs(values[0]) if values else 0
        return _formatted(values, step)
    return [_formatted([value], value)[0] for value in values]


def _end_label(scale: Scale, end: int) -> str:
    """The number at an end of the axis that is not round, to the digits that tell both ends apart."""
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
