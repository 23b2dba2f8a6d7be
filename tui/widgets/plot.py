"""A chart of curves: plotext draws the curves, everything around them is drawn here, dimmer.

``lay_out`` turns a chart into rows of curves and axes, ``draw`` adds marks and notes, ``Plot`` shows the rows.
"""

import re
from dataclasses import dataclass, replace
from typing import Any, Literal

from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.widgets.plot_axes import Scale
from tui.widgets.plot_chart import RGB, Chart, Mark, Series, legend
from tui.widgets.series import GrowingSeries, reduce_min_max, smooth

__all__ = ["Chart", "GrowingSeries", "Mark", "Plot", "Series", "legend", "reduce_min_max", "smooth"]

Ink = RGB | Literal["", "axis", "label"]
Row = list[tuple[str, Ink]]

SMALLEST_WITH_AXES = (20, 5)
STRAIGHT = 0.25
"""In dots: how far a point may lie off the line between its neighbours and still be left out."""
THINNING_PASSES = 4
RUN = re.compile(r"\x1b\[0m(\x1b\[[\d;]*m)?([^\x1b]*)")
LINES = {"left": "│", "left tick": "┤", "corner": "└", "bottom": "─", "bottom tick": "┬"}
PLAIN_LINES = {"left": "|", "left tick": "+", "corner": "+", "bottom": "-", "bottom tick": "+"}
PLAIN_SYMBOLS = {"★": "*", "✗": "x", "●": "o"}


@dataclass(frozen=True)
class Ground:
    """A chart without its marks: rows of curves and axes, and where on them a value stands."""

    rows: list[Row]
    x: Scale
    y: Scale
    left: int
    """Cells left of the curves."""
    size: tuple[int, int]
    """Columns and rows of the curves."""


class Plot(Widget):
    """Shows one chart; ``show`` replaces it.

    What did not change is not drawn again: an equal chart not at all, moved marks without the curves, and only
    the lines of the screen that differ are sent. A plot that nobody sees is drawn when it appears.
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
        self._ground: Ground | None = None
        self._ground_size: tuple[int, int] | None = None
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
        if replace(chart, marks=()) != replace(self._chart, marks=()):
            self._ground_size = None
        self._chart = chart
        before = self._strips
        self._strips = None
        if before is None or not (self.screen.is_active and self.is_on_screen):
            self.refresh()
            return
        rows, self._rows = self._rows, self._draw()
        changed = [y for y, row in enumerate(self._rows) if y >= len(rows) or row != rows[y]]
        if len(rows) == len(self._rows):
            self._strips = before
            for y in changed:
                self._strips[y] = self._strip(self._rows[y])
            if changed:
                self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))
        else:
            self.refresh()

    def render_line(self, y: int) -> Strip:
        if self._strips is None or self._ground_size != self.size:
            self._rows = self._draw()
            self._strips = [self._strip(row) for row in self._rows]
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width)
