"""Layout of a chart on a grid of cells: axes, numbers, names and marks around the curves."""

import math
from dataclasses import dataclass
from itertools import groupby, product
from operator import itemgetter
from typing import Literal

import numpy as np
from rich.cells import cell_len

from core.runs.history.series import Points
from tui.charts.plot_axes import Scale, scale_for, x_ticks, y_ticks
from tui.charts.plot_chart import RGB, Chart, Mark, Series, speaks_unicode
from tui.charts.series import LARGEST, reduce_min_max
from tui.terminal.text import clean

__all__ = ["Ink", "Layout", "Row", "compose", "lay_out", "notice"]

Ink = RGB | Literal["", "axis", "label"]
Row = list[tuple[str, Ink]]

SMALLEST_WITH_AXES = (20, 5)
LINES = {"left": "│", "left tick": "┤", "corner": "└", "bottom": "─", "bottom tick": "┬"}
PLAIN_LINES = {"left": "|", "left tick": "+", "corner": "+", "bottom": "-", "bottom tick": "+"}
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
    rows = height - 2
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
        _numbers([(indent + start, number) for _, start, number in ticks], width, clean(chart.x_label)),
    ]
    return Layout(curves, x, y, columns, rows, left, below, indent)


def compose(layout: Layout, drawn: list[Row], chart: Chart) -> list[Row]:
    """All rows of a chart: the drawn curves with the axes around them, names and marks on them."""
    canvas = _Canvas([[*left, *curve] for left, curve in zip(layout.left, drawn, strict=True)] + layout.below)
    if layout.indent:
        name = clean(chart.y_label)
        width = layout.indent + layout.columns
        for column in (layout.indent + 1, width - cell_len(name)):
            if canvas.write_if_free(0, column, name, "label"):
                break
    for mark in chart.marks:
        _stamp(canvas, mark, layout)
    return canvas.finish()


def notice(text: str, width: int, height: int) -> list[Row]:
    """An empty chart with a text in its middle, if the text fits."""
    canvas = _Canvas([[(" " * width, "")] for _ in range(height)])
    shown = clean(text)
    if height > 0:
        canvas.write_if_free(height // 2, (width - cell_len(shown)) // 2, shown, "label")
    return canvas.finish()


def _points(series: Series, chart: Chart, columns: int) -> Points:
    """The points of a series that a chart of this width can show; NaN where its line breaks."""
    x, y = series.x, series.y
    if chart.log_x:
        x = np.log10(np.where((x > 0) & (x <= LARGEST), x, np.nan))
    if chart.log_y:
        y = np.where(y > 0, y, np.nan)
    if series.style != "points":
        window = None
        if chart.x_range != (None, None):
            low, high = chart.x_range
            window = (-np.inf if low is None else low, np.inf if high is None else high)
        x, y = reduce_min_max(x, y, columns, window)
    return (10.0**x if chart.log_x else x), np.where(np.abs(y) <= LARGEST, y, np.nan)


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
    lowest = layout.rows - 1
    row = lowest + bool(layout.below) if on_axis else lowest - min(int(up * layout.rows), lowest)
    symbol = clean(mark.symbol) if speaks_unicode() else PLAIN_SYMBOLS.get(mark.symbol, "*")
    canvas.write(row, column, symbol, mark.color or "label")
    text = clean(mark.text)
    starts = (column + cell_len(symbol) + 1, column - 1 - cell_len(text))
    for line, start in product((row, row - 1, row + 1), starts):
        if start > layout.indent and 0 <= line <= lowest and canvas.write_if_free(line, start, text, "label"):
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
        stop = column + cell_len(text)
        cells = self._row(row)
        free = column >= 0 and stop <= len(cells) and all(there == " " for there, _ in cells[column:stop])
        if free:
            self.write(row, column, text, ink)
        return free

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
