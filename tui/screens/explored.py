"""Keys of charts for the screen or tab around them: crosshair, zoom, pan, saving and copying."""

from typing import Any, cast

from textual import on
from textual.binding import Binding
from textual.message_pump import MessagePump
from textual.widget import Widget

from tui.charts.explore.plot import CROSS_KEYS, ZOOM_KEYS, ExploringPlot
from tui.screens.chart_dialog import CHART_KEYS, SaveChart, copy_readout

__all__ = ["EXPLORE_KEYS", "ExploresCharts"]

EXPLORE_KEYS: list[Binding] = [*CROSS_KEYS, *ZOOM_KEYS, *CHART_KEYS]


class ExploresCharts(MessagePump):
    """Mixin. Passes `EXPLORE_KEYS` to the chart that was explored last, or to the first one that is shown."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._explored_last: ExploringPlot | None = None

    @property
    def explored_chart(self) -> ExploringPlot | None:
        """The chart that takes the keys; None where none is shown."""
        shown = [plot for plot in cast(Widget, self).query(ExploringPlot) if plot.is_on_screen]
        last = self._explored_last
        return last if last in shown else shown[0] if shown else None

    @on(ExploringPlot.Explored)
    def _remember_explored(self, event: ExploringPlot.Explored) -> None:
        self._explored_last = event.plot

    def action_explore(self, what: str) -> None:
        """Move the crosshair, zoom or pan."""
        if (chart := self.explored_chart) is not None:
            chart.action_explore(what)

    def action_save_chart(self) -> None:
        """Save the chart."""
        if (chart := self.explored_chart) is not None:
            self.app.push_screen(SaveChart(chart, chart.title))

    def action_copy_readout(self) -> None:
        """Copy the values at the crosshair."""
        if (chart := self.explored_chart) is not None:
            copy_readout(cast(Widget, self).screen, chart)
