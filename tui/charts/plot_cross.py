"""The crosshair of a chart: the values of all curves at one place, and how they are written on it."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from rich.cells import cell_len

from core.runs.history.series import Floats
from tui.charts.plot_chart import RGB, SAMPLES, Chart, Ink, line_markers
from tui.terminal.text import clean, fit, number

__all__ = ["Reading", "draw_cross", "place_text", "readings", "readout_text"]

LONGEST_NAME = 20
EXACT = 1e4
"""Places below this are written with four digits, above it as whole numbers."""
Write = Callable[[int, int, str, Ink], None]
"""Takes row, column, text and ink."""


@dataclass(frozen=True)
class Reading:
    """Value of a curve where the crosshair stands; NaN where the curve has none."""

    name: str
    sample: str
    color: RGB | None
    value: float


def readings(chart: Chart, x: float) -> list[Reading]:
    """Return the value of each named curve at the logged point nearest to a place, in the order of the legend."""
    return [
        Reading(series.label, SAMPLES.get(marker, marker), series.color, _value(series.x, series.y, x))
        for series, marker in zip(chart.series, line_markers(chart), strict=True)
        if series.label
    ]


def place_text(chart: Chart, x: float) -> str:
    """Return a place on the x axis: ``epoch 7.35``."""
    written = f"{x:.4g}" if abs(x) < EXACT else f"{x:,.0f}"
    return f"{clean(chart.x_label) or 'x'} {written}"


def readout_text(chart: Chart) -> str:
    """Return the crosshair in one line: ``epoch 7  train 0.1203  validation 0.1444``; empty without one."""
    if chart.cross is None:
        return ""
    parts = [f"{clean(each.name)} {number(each.value)}" for each in readings(chart, chart.cross)]
    return "  ".join([place_text(chart, chart.cross), *parts])


def draw_cross(
    write: Write,
    free: Callable[[int, int], bool],
    chart: Chart,
    size: tuple[int, int],
    share: float,
    line: str,
) -> None:
    """Draw the vertical line of the crosshair where no curve is, and the values on the side with more room.

    Args:
        write: writes on the area of the curves. free: whether a cell of it, by row and column, is blank.
        size: of the area, columns and rows.
        share: place of the crosshair on the x axis, 0 to 1; elsewhere it is not drawn.
        line: character that it is made of.
    """
    columns, rows = size
    if chart.cross is None or not 0 <= share <= 1 or not columns or not rows:
        return
    column = min(int(share * columns), columns - 1)
    for row in range(rows):
        if free(row, column):
            write(row, column, line, "label")
    left = column >= columns / 2
    room = (column if left else columns - column - 1) - 1
    texts = _lines(chart, chart.cross, rows, room)
    width = min(max((cell_len(text) for _, text, _ in texts), default=0) + 2, room)
    start = 0 if left else columns - width
    for row, (sample, text, color) in enumerate(texts):
        write(row, start, f"{sample} " if sample else "", color or "axis")
        write(row, start + 2 * bool(sample), fit(text, width - 2 * bool(sample)), "")


def _lines(chart: Chart, x: float, rows: int, room: int) -> list[tuple[str, str, RGB | None]]:
    """Return sample, text and colour of each line of the readout that fits; names are cut, values never."""
    found = readings(chart, x)
    values = [number(each.value) for each in found]
    wide = max(map(cell_len, values), default=0)
    longest = max((cell_len(clean(each.name)) for each in found), default=0)
    name_width = min(longest, LONGEST_NAME, room - wide - 3)
    if room < wide + 2:
        return []
    lines = [
        (each.sample, f"{fit(clean(each.name), name_width)} {value:>{wide}}".strip(), each.color)
        for each, value in zip(found, values, strict=True)
    ]
    return [("", fit(place_text(chart, x), room).rstrip(), None), *lines][:rows]


def _value(x: Floats, y: Floats, at: float) -> float:
    """Return y at the point nearest to a place; of several, the last."""
    there = np.isfinite(x)
    if not there.any() or not x[there].min() <= at <= x[there].max():
        return math.nan
    with np.errstate(invalid="ignore"):
        distance = np.where(there, np.abs(x - at), np.inf)
    return float(y[x.size - 1 - int(np.argmin(distance[::-1]))])
