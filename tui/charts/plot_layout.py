"""Layout of a chart on a grid of cells: axes, numbers, names and marks around the curves."""

import math
from dataclasses import dataclass
from itertools import groupby, product
from operator import itemgetter

import numpy as np
from rich.cells import cell_len

from core.runs.history.series import Points
from tui.charts.plot_axes import Scale, scale_for, x_ticks, y_ticks
from tui.charts.plot_chart import Chart, Ink, Mark, Series, speaks_unicode
from tui.charts.plot_cross import draw_cross
from tui.charts.series import LARGEST, reduce_min_max
from tui.terminal.text import clean, fit, wrapped

__all__ = ["Ink", "Layout", "Row", "compose", "lay_out", "notice"]

Row = list[tuple[str, Ink]]

SMALLEST_WITH_AXES = (20, 5)
SMALLEST_WITH_NAMES = 9
"""Rows of a chart from which on the names of its axes may take two of them."""
LINES = {"left": "│", "left tick": "┤", "corner": "└", "bottom": "─", "bottom tick": "┬"}
PLAIN_LINES = {"left": "|", "left tick": "+", "corner": "+", "bottom": "-", "bottom tick": "+"}
CROSS = "┊"
PLAIN_SYMBOLS = dict(zip("★✗●■▲◆○□△◇", "*xo#^+O%A@", strict=True))


@dataclass(frozen=True)
class Layout:
    """Place of the curves, and what surrounds them."""

    curves: list[Points]
    """For each series the points to draw, reduced to the width; NaN where a line breaks."""
    x: Scale
    y: Scale
    columns: int
    rows: int
    left: list[Row]
    """What stands left of each row of the curves."""
    below: list[Row]
    """The rows under the curves: the axis and its numbers."""
    indent: int
    """Cells left of the curves."""
    above: int = 0
    """Rows above the curves, for the name of the y axis."""


def lay_out(chart: Chart, width: int, height: int) -> Layout | None:
    """Fit a chart into cells; None if there is no value, or no cell. Below 20 x 5 cells, without axes."""
    if width < 1 or height < 1:
        return None
    curves = [_points(series, chart, 2 * width) for series in chart.series]
    x = scale_for(
        (across for across, _ in curves),
        chart.x_range,
        log=chart.log_x,
        integer=chart.x_integer,
    )
    y = scale_for((up for _, up in curves), chart.y_range, log=chart.log_y, roomy=True)
    if x is None or y is None:
        return None
    if width < SMALLEST_WITH_AXES[0] or height < SMALLEST_WITH_AXES[1]:
        return Layout(curves, x, y, width, height, [[]] * height, [], 0)
    lines = LINES if speaks_unicode() else PLAIN_LINES
    named = chart.named and height >= SMALLEST_WITH_NAMES
    rows = height - 2 - 2 * named
    numbers = {rows - 1 - cell: number for cell, number in y_ticks(y, rows)}
    margin = max(map(len, numbers.values()))
    indent, columns = margin + 1, width - margin - 1
    left: list[Row] = [
        [
            (f"{numbers.get(row, ''):>{margin}}", "label"),
            (lines["left tick" if row in numbers else "left"], "axis"),
        ]
        for row in range(rows)
    ]
    ticks = x_ticks(x, columns, indent, integer=chart.x_integer)
    at = {column for column, _, _ in ticks}
    axis = "".join(lines["bottom tick" if column in at else "bottom"] for column in range(columns))
    below: list[Row] = [
        [(" " * margin, ""), (lines["corner"] + axis, "axis")],
        _numbers(
            [(indent + start, number) for _, start, number in ticks],
            width,
            "" if named else clean(chart.x_label),
        ),
    ]
    if named:
        below.append([(fit(clean(chart.x_label), width, align="^"), "label")])
    return Layout(curves, x, y, columns, rows, left, below, indent, int(named))


def compose(layout: Layout, drawn: list[Row], chart: Chart) -> list[Row]:
    """All rows of a chart: the drawn curves with the axes around them, names and marks on them."""
    name, above = clean(chart.y_label), layout.above
    head: list[Row] = [[(fit(name, layout.indent + layout.columns), "label")]] * above
    middle = [[*left, *curve] for left, curve in zip(layout.left, drawn, strict=True)]
    canvas = _Canvas(head + middle + layout.below)
    if layout.indent and not above:
        width = layout.indent + layout.columns
        for column in (layout.indent + 1, width - cell_len(name)):
            if canvas.write_if_free(0, column, name, "label"):
                break
    for mark in chart.marks:
        _stamp(canvas, mark, layout)
    if chart.cross is not None:
        _read(canvas, chart, layout)
    return canvas.finish()


def _read(canvas: "_Canvas", chart: Chart, layout: Layout) -> None:
    """Draw the crosshair, and the values of all curves there."""
    draw_cross(
        lambda row, column, text, ink: canvas.write(layout.above + row, layout.indent + column, text, ink),
        lambda row, column: canvas.is_free(layout.above + row, layout.indent + column, 1),
        chart,
        (layout.columns, layout.rows),
        layout.x.fraction(chart.cross),
        CROSS if speaks_unicode() else PLAIN_LINES["left"],
    )


def notice(text: str, width: int, height: int) -> list[Row]:
    """An empty chart with a text in its middle, on several lines where it is narrow."""
    canvas = _Canvas([[(" " * width, "")] for _ in range(height)])
    lines = wrapped(clean(text), width)[:height] if width > 1 else []
    for row, line in enumerate(lines, height // 2 - len(lines) // 2):
        canvas.write_if_free(row, (width - cell_len(line)) // 2, line, "label")
    return canvas.finish()


def _points(series: Series, chart: Chart, columns: int) -> Points:
    """The points of a series that a chart of this width can show; NaN where its line breaks."""
    x, y = series.x, series.y
    if chart.log_x:
        x = np.log10(np.where((x > 0) & (x <= LARGEST), x, np.nan))
    if chart.log_y:
        y = np.where(y > 0, y, np.nan)
    window = _window(chart)
    if series.style == "points" and window is not None:
        inside = (x >= window[0]) & (x <= window[1])
        x, y = x[inside], y[inside]
    elif series.style != "points":
        x, y = reduce_min_max(x, y, columns, window)
    return (10.0**x if chart.log_x else x), np.where(np.abs(y) <= LARGEST, y, np.nan)


def _window(chart: Chart) -> tuple[float, float] | None:
    """The part of the x axis that is asked for, in the units of the axis: decimal logarithms if it has them."""
    if chart.x_range == (None, None):
        return None
    low, high = chart.x_range
    if chart.log_x:
        low, high = (math.log10(end) if end is not None and end > 0 else None for end in (low, high))
    return (-np.inf if low is None else low, np.inf if high is None else high)


def _numbers(numbers: list[tuple[int, str]], width: int, name: str) -> Row:
    """The row below the axis: its numbers, and its name in the last gap where it fits."""
    canvas = _Canvas([[(" " * width, "")]])
    gaps, end = [], 0
    for start, number in numbers:
        canvas.write(0, start, number, "label")
        gaps.append((end, start))
        end = start + len(number)
    room = cell_len(name) + 4
    # Behind the last number the name may touch the end of the row.
    for start, stop in reversed([*gaps, (end, width + 2)]):
        if name and stop - start >= room:
            canvas.write(0, start + (stop - start - room) // 2 + 2, name, "label")
            break
    return canvas.finish()[0]


def _stamp(canvas: "_Canvas", mark: Mark, layout: Layout) -> None:
    """Put a mark where it belongs, and its text right or left of it, unless a curve runs there."""
    along, up = layout.x.fraction(mark.x), layout.y.fraction(mark.y)
    on_axis = not math.isfinite(up)
    if not 0 <= along <= 1 or not (on_axis or 0 <= up <= 1):
        return
    column = layout.indent + min(int(along * layout.columns), layout.columns - 1)
    highest, lowest = layout.above, layout.above + layout.rows - 1
    row = lowest + bool(layout.below) if on_axis else lowest - min(int(up * layout.rows), layout.rows - 1)
    symbol = clean(mark.symbol) if speaks_unicode() else PLAIN_SYMBOLS.get(mark.symbol, "*")
    canvas.write(row, column, symbol, mark.color or "label")
    text = clean(mark.text)
    starts = (column + cell_len(symbol) + 1, column - 1 - cell_len(text))
    for line, start in product((row, row - 1, row + 1), starts):
        if (
            start > layout.indent
            and highest <= line <= lowest
            and canvas.write_if_free(line, start, text, "label")
        ):
            break


class _Canvas:
    """Rows of inked text that one writes on, cell by cell."""

    def __init__(self, rows: list[Row]) -> None:
        self._rows = rows
        self._cells: dict[int, list[tuple[str, Ink]]] = {}

    def write(self, row: int, column: int, text: str, ink: Ink) -> None:
        """Write over what is there. A wide character takes two cells, a combining one joins the last."""
        cells = self._row(row)
        for character in text:
            width = cell_len(character)
            if column + width > len(cells):
                break
            if width:
                self._free_halves(cells, column, column + width)
                cells[column : column + width] = [(character, ink), ("", ink)][:width]
            elif column:
                cells[column - 1] = (cells[column - 1][0] + character, ink)
            column += width

    @staticmethod
    def _free_halves(cells: list[tuple[str, Ink]], start: int, stop: int) -> None:
        """Blank what is left of wide characters of which only one half lies between start and stop."""
        if cells[start][0] == "":
            cells[start - 1] = (" ", "")
        if stop < len(cells) and cells[stop][0] == "":
            cells[stop] = (" ", "")

    def write_if_free(self, row: int, column: int, text: str, ink: Ink) -> bool:
        """Write on blank cells only; False if there are not enough of them."""
        free = self.is_free(row, column, cell_len(text))
        if free:
            self.write(row, column, text, ink)
        return free

    def is_free(self, row: int, column: int, width: int) -> bool:
        """Return whether so many cells are there, and blank."""
        stop, cells = column + width, self._row(row)
        return column >= 0 and stop <= len(cells) and all(there == " " for there, _ in cells[column:stop])

    def finish(self) -> list[Row]:
        rows = list(self._rows)
        for row, cells in self._cells.items():
            runs = groupby(cells, key=itemgetter(1))
            rows[row] = [("".join(text for text, _ in run), ink) for ink, run in runs]
        return rows

    def _row(self, row: int) -> list[tuple[str, Ink]]:
        if row not in self._cells:
            self._cells[row] = [(character, ink) for text, ink in self._rows[row] for character in text]
        return self._cells[row]
