"""The charts of a run in pages: as many at once as there is room for, and only those are drawn."""

from collections.abc import Sequence
from dataclasses import replace

from textual import on
from textual.app import ComposeResult
from textual.containers import Container

from core.runs.history.history import History
from tui.charts.explore.plot import ExploringPlot, together
from tui.charts.explore.window import WHOLE, Window
from tui.charts.live import View, chart_names, chart_of, chart_title, subtitle, system_chart
from tui.screens.base import NARROW, WIDE
from tui.widgets.chart_panel import ChartPanel

__all__ = ["ChartPages", "arrangement", "page_of"]

MAX_CHARTS = 8
VERY_WIDE, HIGH = 260, 52
"""Cells from which on a screen has room for a fourth column of charts, and for a second row."""


def arrangement(width: int, height: int) -> tuple[int, int]:
    """Return columns and rows of charts on a screen of a size in cells."""
    columns = 4 if width >= VERY_WIDE else 3 if width >= WIDE else 2
    return columns, 2 if height >= HIGH else 1


def page_of(names: Sequence[str], page: int, room: int) -> tuple[list[str], int, int]:
    """Return the charts of a page, its place and the number of pages, both from 1.

    Args:
        page: from 0; beyond the last one, it turns over. room: charts on a page.
    """
    pages = max(1, -(-len(names) // room))
    page %= pages
    return list(names[page * room : (page + 1) * room]), page + 1, pages


class ChartPages(Container):
    """All charts of a run; they share the x axis and the crosshair, whichever is explored."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.page = 0
        self.window = WHOLE
        self._shown: list[str] = []
        self._explored_last: ExploringPlot | None = None

    def compose(self) -> ComposeResult:
        for number in range(1, MAX_CHARTS + 1):
            yield ChartPanel(id=f"chart-{number}-panel", plot=f"chart-{number}", explores=True)
        yield ChartPanel(id="system-panel", plot="system", explores=True)

    @property
    def plots(self) -> list[ExploringPlot]:
        """The charts that are shown, without that of the machine."""
        return [self.query_one(f"#chart-{number + 1}", ExploringPlot) for number in range(len(self._shown))]

    @property
    def current(self) -> ExploringPlot:
        """The chart that was explored last, or the first one."""
        last = self._explored_last
        return last if last is not None and last in self.plots else self.query_one("#chart-1", ExploringPlot)

    def show(self, history: History, score: str, view: View, *, machine: bool) -> None:
        """Draw the charts of this page.

        Args:
            score: the metric that comes second. machine: whether the load of the machine is shown too.
        """
        size = self.screen.size
        columns, rows = arrangement(*size)
        if machine and columns == 2 and size.width >= NARROW:
            columns = 3
        room = max(1, columns * rows - machine)
        names, place, pages = page_of(chart_names(history, score), self.page, min(room, MAX_CHARTS))
        self.page = place - 1
        self._arrange(len(names) + machine, columns)
        self._assign(names)
        for number, name in enumerate(names, start=1):
            turned = f"{place}/{pages}" if number == 1 and pages > 1 else ""
            self.query_one(f"#chart-{number}-panel", ChartPanel).show(
                chart_title(name),
                chart_of(history, name, view),
                chosen=view.chosen(name),
                subtitle=subtitle(history, name),
                page=turned,
            )
        if machine:
            panel = self.query_one("#system-panel", ChartPanel)
            panel.show("machine %", system_chart(history), subtitle="minutes")

    def _arrange(self, count: int, columns: int) -> None:
        """Lay out so many charts; fewer than fill a row get all of its width."""
        columns = max(1, min(columns, count))
        grid = (columns, -(-count // columns))
        if grid != (self.styles.grid_size_columns, self.styles.grid_size_rows):
            self.styles.grid_size_columns, self.styles.grid_size_rows = grid

    def _assign(self, names: list[str]) -> None:
        """Show as many panels; what a panel showed before of another chart's y axis is forgotten."""
        if names == self._shown:
            return
        for number in range(MAX_CHARTS):
            panel = self.query_one(f"#chart-{number + 1}-panel", ChartPanel)
            panel.display = number < len(names)
            if number < len(names) and names[number : number + 1] != self._shown[number : number + 1]:
                panel.plot.explore(together(self.window, WHOLE))
        self._shown = names

    def explore(self, window: Window) -> None:
        """Show another part of all charts."""
        self.window = replace(window, y=None)
        for plot in self.plots:
            plot.explore(together(window, plot.window if window != WHOLE else WHOLE))

    @on(ExploringPlot.Explored)
    def _explored(self, event: ExploringPlot.Explored) -> None:
        self._explored_last = event.plot
        if event.plot in self.plots:
            self.explore(event.plot.window)

    def action_explore(self, what: str) -> None:
        """Move the crosshair, zoom or pan by a key of the screen."""
        if self.plots:
            self.plots[0].action_explore(what)

    def turn(self, by: int) -> None:
        """Go to another page; it is drawn with the next call of `show`."""
        self.page += by
