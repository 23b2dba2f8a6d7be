"""Choices of what the charts of Compare show: the curve, its axes, how smooth it is, and which part of it."""

from dataclasses import replace

from core.runs.comparison.curves import AXES, curve_names
from core.runs.comparison.entries import Entry
from tui.charts.comparison import View
from tui.charts.explore.window import WHOLE
from tui.charts.live import SMOOTHING
from tui.screens.base import ModeScreen
from tui.screens.chart_dialog import SaveChart, copy_readout
from tui.screens.compare.charts import ChartPair

__all__ = ["ViewActions"]


class ViewActions(ModeScreen):
    """Base of the screen that compares runs.

    Attributes:
        entries: the runs. metric: name of the curve. smoothing: place in `SMOOTHING`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[Entry] = []
        self.metric = ""
        self.view = View()
        self.smoothing = 0

    def draw(self) -> None:
        """Redraw everything after new data or a key."""
        raise NotImplementedError

    def action_metric(self, by: int) -> None:
        """Switch to another curve."""
        names = curve_names(self.entries)
        if names:
            self.metric = names[(names.index(self.metric) + by) % len(names)]
            self.draw()

    def action_axis(self) -> None:
        """X axis: epochs, steps or time."""
        following = AXES[(AXES.index(self.view.axis) + 1) % len(AXES)]
        self.view = replace(self.view, axis=following)
        self.query_one(ChartPair).explore(WHOLE)
        self.draw()

    def action_save_chart(self) -> None:
        """Save the chart with the focus, or the first one."""
        plot = self.query_one(ChartPair).current
        self.app.push_screen(SaveChart(plot, plot.title))

    def action_copy_readout(self) -> None:
        """Copy the values at the crosshair."""
        copy_readout(self, self.query_one(ChartPair).current)

    def action_explore(self, what: str) -> None:
        """Zoom the charts, or pan."""
        self.query_one(ChartPair).action_explore(what)

    def action_log_x(self) -> None:
        """Switch the x axis between logarithmic and linear."""
        self.view = replace(self.view, log_x=not self.view.log_x)
        self.query_one(ChartPair).explore(WHOLE)
        self.draw()

    def action_log_scale(self) -> None:
        """Switch the loss axis between logarithmic and linear."""
        self.view = replace(self.view, log_y=not self.view.log_y)
        self.draw()

    def action_smooth(self, by: int) -> None:
        """Smooth more or less."""
        self.smoothing = min(max(self.smoothing + by, 0), len(SMOOTHING) - 1)
        self.draw()
