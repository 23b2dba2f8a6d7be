"""A panel with one chart, whose title is its legend."""

from textual.app import ComposeResult
from textual.content import Content

from tui.charts.plot import Chart, Plot, legend
from tui.terminal.text import clean
from tui.widgets.panel import Panel

__all__ = ["ChartPanel"]


class ChartPanel(Panel):
    """Shows one chart; ``show`` replaces it.

    Args:
        plot: id of the chart itself.
    """

    def __init__(self, *, id: str, plot: str | None = None) -> None:
        super().__init__(id=id)
        self._plot_id = plot

    def compose(self) -> ComposeResult:
        yield Plot(id=self._plot_id)

    def show(self, title: str, chart: Chart, *, chosen: str = "", subtitle: str = "") -> None:
        """Show another chart.

        Args:
            chosen: what changes how its curves look, after the legend.
            subtitle: the number that matters, or the unit.
        """
        names = ("  ", legend(chart)) if chart.series else ()
        self.border_title = Content.assemble(clean(title), *names, (chosen, "$text-muted"))
        self.border_subtitle = subtitle
        self.query_one(Plot).show(chart)
