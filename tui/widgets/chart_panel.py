"""A panel with one chart, whose title is its legend."""

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.content import Content

from tui.charts.explore.plot import ExploringPlot
from tui.charts.plot import Chart, Plot, legend
from tui.terminal.text import clean
from tui.widgets.panel import Panel

__all__ = ["ChartPanel"]

CORNERS = 6
"""Cells of a border's line that its corners and the blanks beside a title take."""


class ChartPanel(Panel):
    """Shows one chart; ``show`` replaces it.

    Args:
        plot: id of the chart itself.
        explores: whether a part of it can be shown, see `ExploringPlot`.
        focusable: whether it takes the focus then, and keys with it.
    """

    def __init__(
        self, *, id: str, plot: str | None = None, explores: bool = False, focusable: bool = False
    ) -> None:
        super().__init__(id=id)
        self._plot_id, self._explores, self._focusable = plot, explores, focusable

    def compose(self) -> ComposeResult:
        if self._explores:
            yield ExploringPlot(id=self._plot_id, focusable=self._focusable)
        else:
            yield Plot(id=self._plot_id)

    @property
    def plot(self) -> ExploringPlot:
        """The chart that one explores."""
        return self.query_one(ExploringPlot)

    def show(self, title: str, chart: Chart, *, chosen: str = "", subtitle: str = "", page: str = "") -> None:
        """Show another chart. Where the panel is narrow, what matters less in its title is left out.

        Args:
            chosen: what changes how its curves look, after the legend.
            subtitle: the number that matters, or the unit.
            page: where it stands among others, such as ``2/4``.
        """
        room = (self.outer_size.width or 1000) - CORNERS
        telling = [series.label for series in chart.series if series.label] not in ([], [title])
        names = Content.assemble("  ", legend(chart)) if telling else Content()
        name, muted = Content(clean(title)), (chosen, "$text-muted")
        ends = [(f"  page {page.replace('/', ' of ')}", "$text-muted"), (f"  {page}", "$text-muted")]
        choices = [
            Content.assemble(name, part, muted, end if page else "") for part in (names, "") for end in ends
        ]
        self.border_title = next((each for each in choices if each.cell_length <= room), choices[-1])
        self.border_subtitle = subtitle if cell_len(subtitle) <= room else subtitle.partition(" at ")[0]
        self.query_one(Plot).show(chart)
