"""A chart of curves in a widget: plotext draws the curves, ``plot_layout`` everything around them."""

import re
from collections import deque
from dataclasses import replace
from functools import cache, lru_cache
from typing import Any

import numpy as np
from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from core.runs.history.series import Floats, GrowingSeries, Points
from tui.charts.plot_chart import RGB, Chart, LineStyle, Mark, Series, legend, line_markers
from tui.charts.plot_layout import Ink, Layout, Row, compose, lay_out, notice
from tui.charts.plotext_private import unlisted
from tui.charts.series import reduce_min_max, smooth

__all__ = [
    "Chart",
    "GrowingSeries",
    "Mark",
    "Plot",
    "Series",
    "draw",
    "draw_curves",
    "legend",
    "load_charts",
    "reduce_min_max",
    "smooth",
]

RUN = re.compile(r"\x1b\[0m(\x1b\[[\d;]*m)?([^\x1b]*)")
STRAIGHT = 0.25
"""Maximum distance, in dots, of a point from the line between its neighbours for it to be dropped."""
THINNING_PASSES = 4
DOTS_ACROSS, DOTS_UP = 2, 4
"""Dots of a braille cell."""
KEPT = 4
"""Charts of which a plot keeps the drawn curves: whoever turns pages looks at the one before again."""


class Plot(Widget):
    """Shows one chart; ``show`` replaces it.

    Unchanged parts are not redrawn: an equal chart not at all, moved marks without the curves, and only the
    lines of the screen that differ. A hidden plot is drawn when it appears.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES = {"plot--axis", "plot--label"}
    DEFAULT_CSS = """
    Plot {
        width: 1fr;
        height: 1fr;
        & > .plot--axis { color: $foreground 22%; }
        & > .plot--label { color: $foreground 60%; }
    }
    """

    def __init__(self, chart: Chart | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._chart = chart or Chart()
        self._drawn_size: Size | None = None
        self._layout: Layout | None = None
        self._curves: list[Row] = []
        self._kept: deque[tuple[Chart, Size, Layout | None, list[Row]]] = deque(maxlen=KEPT)
        self._rows: list[Row] = []
        self._strips: list[Strip] | None = None
        self._styles_of_ink: dict[Ink, Style] = {}

    @property
    def chart(self) -> Chart:
        return self._chart

    def show(self, chart: Chart) -> None:
        """Replace the chart; does nothing if the new one is equal."""
        if chart == self._chart:
            return
        if _unmarked(chart) != _unmarked(self._chart):
            self._drawn_size = None
        self._chart = chart
        if self._strips is not None and self._is_seen:
            self._redraw()
        else:
            self._strips = None
            self.refresh()

    def render_line(self, y: int) -> Strip:
        if self._strips is None or self._drawn_size != self.size:
            self._rows = self._draw()
            self._strips = [self._strip(row) for row in self._rows]
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width)

    def notify_style_update(self) -> None:
        """The theme changed: the same rows in other colours."""
        super().notify_style_update()
        self._styles_of_ink = {}
        self._strips = None

    @property
    def _is_seen(self) -> bool:
        return self.is_attached and self.screen.is_current and self.is_on_screen

    def _redraw(self) -> None:
        before, self._rows = self._rows, self._draw()
        if self._strips is None or len(self._rows) != len(before):
            self._strips = None
            self.refresh()
            return
        changed = [y for y, row in enumerate(self._rows) if row != before[y]]
        for y in changed:
            self._strips[y] = self._strip(self._rows[y])
        if changed:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))

    def _draw(self) -> list[Row]:
        if self._drawn_size != self.size:
            self._layout, self._curves = self._laid_out()
            self._drawn_size = self.size
        if self._layout is None:
            return notice(self._chart.empty, *self.size)
        return compose(self._layout, self._curves, self._chart)

    def _laid_out(self) -> tuple[Layout | None, list[Row]]:
        """Return the layout and the curves of the chart, drawn unless they were a short while ago."""
        wanted = _unmarked(self._chart), self.size
        for chart, size, layout, curves in self._kept:
            if (chart, size) == wanted:
                return layout, curves
        layout = lay_out(self._chart, *self.size)
        curves = draw_curves(self._chart, layout) if layout else []
        self._kept.append((*wanted, layout, curves))
        return layout, curves

    def _strip(self, row: Row) -> Strip:
        return Strip([Segment(text, self._style(ink)) for text, ink in row], self.size.width)

    def _style(self, ink: Ink) -> Style:
        style = self._styles_of_ink.get(ink)
        if style is None:
            if isinstance(ink, str):
                style = self.get_visual_style(*([f"plot--{ink}"] if ink else [])).rich_style
                # Without colour, muted parts must still be less prominent than the curves.
                style += Style(dim=bool(ink) and self.app.no_color)
            else:
                style = self._style("") + Style(color=RichColor.from_rgb(*ink))
            self._styles_of_ink[ink] = style
        return style


def _unmarked(chart: Chart) -> Chart:
    """Return what the curves of a chart, and the axes around them, are drawn from."""
    return replace(chart, marks=(), cross=None)


def draw(chart: Chart, width: int, height: int) -> list[Row]:
    """The rows of a chart, each exactly ``width`` cells of text with its ink."""
    layout = lay_out(chart, width, height)
    if layout is None:
        return notice(chart.empty, width, height)
    return compose(layout, draw_curves(chart, layout), chart)


def draw_curves(chart: Chart, layout: Layout) -> list[Row]:
    """The curves alone, drawn by plotext in coordinates of cells."""
    figure, columns, rows = _plotext().figure, layout.columns, layout.rows
    figure.clear.data()
    figure.plot_size(columns, rows)
    figure.ruler("x").lim(0, columns)
    figure.ruler("y").lim(0, rows)
    inks: dict[str, Ink] = {"": ""}
    for index, (series, marker) in enumerate(zip(chart.series, line_markers(chart), strict=True)):
        # The colour only identifies the series of a cell; the widget decides how it looks.
        code = (index >> 16, index >> 8 & 255, index & 255)
        inks["\x1b[38;2;{};{};{}m".format(*code)] = series.color or "axis"
        x, y = layout.curves[index]
        # Far outside, a line would be drawn dot by dot: one length of the axis beyond its ends is enough.
        across = np.clip(layout.x.fractions(x), -1, 2) * columns
        up = np.clip(layout.y.fractions(y), -1, 2) * rows
        if np.isfinite(across + up).any():
            figure.draw(_signal(across.tobytes(), up.tobytes(), series.style, marker, code))
    lines = figure.build().string().split("\n")[:rows]
    return [[(text, inks.get(color, "")) for color, text in RUN.findall(line) if text] for line in lines]


@lru_cache(maxsize=32)
def _signal(x: bytes, y: bytes, style: LineStyle, marker: str, color: RGB) -> Any:
    """A curve as plotext's signal, kept because most curves of a live chart are those of the frame before.

    Args:
        x: float64 in cells from the left, NaN nowhere but in clouds of points.
        y: float64 in cells from below; NaN breaks the line.
        style: as of the series.
        marker: as of the series.
        color: stands for the series.
    """
    across, up = np.frombuffer(x), np.frombuffer(y)
    if style == "points":
        across, up = _distinct(across, up)
    else:
        if style == "steps":
            across, up = np.repeat(across, 2)[1:], np.repeat(up, 2)[:-1]
        across, up = _without_straight_parts(across, up)
    there = np.isfinite(up)
    pen = _plotext().marker(marker, pixel=color)
    signal = _plotext().figure.signal(across[there].tolist(), up[there].tolist(), marker=pen)
    if style != "points":
        signal.lines()
        for start in np.flatnonzero(there[1:] & ~there[:-1]) + 1:
            signal.line(int(there[:start].sum()), False)
    return unlisted(signal)


def _distinct(across: Floats, up: Floats) -> Points:
    """One point for each dot that a cloud of points covers."""
    there = np.isfinite(across) & np.isfinite(up)
    across, up = across[there], up[there]
    dots = np.floor(np.stack((across * DOTS_ACROSS, up * DOTS_UP))).astype(np.int64)
    _, first = np.unique(dots[0] << 32 | dots[1] & 0xFFFFFFFF, return_index=True)
    return across[first], up[first]


def _without_straight_parts(across: Floats, up: Floats) -> Points:
    """Leave out points on a straight line between their neighbours: plotext is slow for each point."""
    x, y = across * DOTS_ACROSS, up * DOTS_UP
    for _ in range(THINNING_PASSES):
        before, after = slice(None, -2, 2), slice(2, None, 2)
        middle = slice(1, x.size - 1, 2)
        if x[middle].size == 0:
            break
        dx, dy = x[after] - x[before], y[after] - y[before]
        to_x, to_y = x[middle] - x[before], y[middle] - y[before]
        off = np.abs(dx * to_y - dy * to_x) > STRAIGHT * np.maximum(np.abs(dx), np.abs(dy))
        turns = (to_x * (dx - to_x) < 0) | (to_y * (dy - to_y) < 0)
        kept = np.ones(x.size, dtype=bool)
        # NaN compares as False, so gaps must be kept explicitly.
        kept[middle] = off | turns | np.isnan(dx * dy * to_y)
        x, y = x[kept], y[kept]
    return x / DOTS_ACROSS, y / DOTS_UP


def load_charts() -> None:
    """Import what draws charts; with the first chart, keys would wait for it for a tenth of a second."""
    import plotext  # noqa: F401


@cache
def _plotext() -> Any:
    """plotext with an empty figure: no frame, no ticks, no background, any size."""
    # Loaded with the first chart: it takes longer to load than everything else a first screen shows.
    import plotext

    plotext.terminal.limit(False, False)
    plotext.figure.clear()
    plotext.figure.axes(False)
    plotext.figure.legend(False)
    plotext.figure.canvas("default")
    for axis in ("x", "y"):
        plotext.figure.ruler(axis).frequency(0).alignment(lim="edge")
    return plotext
