"""Each parameter against the metric: as many charts side by side as fit."""

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from tui.charts.explore.plot import ExploringPlot
from tui.charts.explore.window import WHOLE
from tui.charts.study import places, slice_chart
from tui.terminal.text import clean, short_path
from tui.widgets.panel import Panel

if TYPE_CHECKING:
    from tui.runtime.study_follower import Standing

__all__ = ["SlicesPanel"]

MAX_SLICES = 4
CELLS = 32
"""Minimum width of a chart."""


class Slice(Vertical):
    """One chart under the name of its parameter; the legend of its axis is below."""

    def __init__(self) -> None:
        super().__init__()
        self._path = ""

    def compose(self) -> ComposeResult:
        yield Static("", classes="slice-name", markup=False)
        yield ExploringPlot(focusable=True)
        yield Static("", classes="slice-places", markup=False)

    def show(self, standing: "Standing", path: str, log_y: bool) -> None:
        """Show a parameter."""
        below = places(standing.plan.space.domains[path])
        self.query_one(".slice-name", Static).update(Content(clean(path)))
        plot = self.query_one(ExploringPlot)
        if path != self._path:
            self._path = path
            plot.explore(WHOLE)
        plot.show(slice_chart(standing, path, log_y))
        words = self.query_one(".slice-places", Static)
        words.update(Content(below))
        words.display = bool(below)


class SlicesPanel(Panel):
    """The most important parameters first; `turn` shows the others."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._shown: tuple[Standing, bool] | None = None
        self._first = 0

    def compose(self) -> ComposeResult:
        with Horizontal():
            for _ in range(MAX_SLICES):
                yield Slice()

    def show(self, standing: "Standing", log_y: bool) -> None:
        """Show the parameters of a study against its metric."""
        self._shown = (standing, log_y)
        self._draw()

    def turn(self, by: int) -> None:
        """Start with the next or previous parameter."""
        self._first += by
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        if self._shown is None:
            return
        standing, log_y = self._shown
        shares = standing.importance.all.shares
        paths = sorted(
            standing.plan.space.domains, key=lambda path: -shares[path].value if path in shares else 0.0
        )
        room = min(MAX_SLICES, len(paths), max(1, self.content_size.width // CELLS))
        self._first %= len(paths)
        seen = [paths[(self._first + place) % len(paths)] for place in range(room)]
        for place, chart in enumerate(self.query(Slice)):
            chart.display = place < room
            if place < room:
                chart.show(standing, seen[place], log_y)
        self.border_title = f"{standing.plan.metric} by parameter"
        hidden = [short_path(path) for path in paths if path not in seen]
        self.border_subtitle = f", . also {' '.join(hidden)}" if hidden else ""
