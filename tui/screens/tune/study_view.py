"""A study: its trials, the best so far, all curves, importance, and each parameter against the metric."""

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from tui.charts.study import best_chart, curves_chart
from tui.screens.tune.importance_panel import ImportancePanel
from tui.screens.tune.slices_panel import SlicesPanel
from tui.screens.tune.trials_panel import TrialsPanel
from tui.widgets.chart_panel import ChartPanel

if TYPE_CHECKING:
    from tui.runtime.study_follower import Standing

__all__ = ["StudyView"]

PANELS = ("trials-panel", "best-panel", "curves-panel", "importance-panel", "slices-panel")
"""Panels in the order in which small screens show them."""


class StudyView(Vertical):
    """All panels; on small screens one at a time."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._standing: Standing | None = None
        self._turned = False
        self._panel = 0

    def compose(self) -> ComposeResult:
        with Horizontal(id="study-upper"):
            yield TrialsPanel(id="trials-panel")
            with Vertical(id="study-charts"):
                yield ChartPanel(id="best-panel")
                yield ChartPanel(id="curves-panel")
        with Horizontal(id="study-lower"):
            yield ImportancePanel(id="importance-panel")
            yield SlicesPanel(id="slices-panel")

    def on_mount(self) -> None:
        self.turn_panel(0)

    @property
    def trials(self) -> TrialsPanel:
        """The table."""
        return self.query_one(TrialsPanel)

    @property
    def _log_y(self) -> bool:
        """Return whether the axis of the metric is logarithmic; that of an error is, unless switched."""
        error = self._standing is not None and self._standing.plan.direction == "minimize"
        return error != self._turned

    def show(self, standing: "Standing") -> None:
        """Show the state of a study."""
        if self._standing is None or standing.folder != self._standing.folder:
            self.trials.start()
        self._standing = standing
        self.trials.show(standing)
        self.query_one(ImportancePanel).show(standing)
        self.draw_charts()

    def draw_charts(self) -> None:
        """Draw what depends on the trial under the cursor or on the axes."""
        standing = self._standing
        if standing is None:
            return
        chosen = self.trials.selected
        metric = standing.plan.metric
        best = best_chart(standing, self._log_y)
        curves = curves_chart(standing, self._log_y, chosen.number if chosen else None)
        self.query_one("#best-panel", ChartPanel).show(metric, best)
        self.query_one("#curves-panel", ChartPanel).show("epochs", curves)
        self.query_one(SlicesPanel).show(standing, self._log_y)

    def toggle_log(self) -> None:
        """Switch the metric axis between logarithmic and linear."""
        self._turned = not self._turned
        self.draw_charts()

    def turn_panel(self, by: int) -> None:
        """Switch to the next panel, on screens with room for one."""
        self._panel = (self._panel + by) % len(PANELS)
        for place, name in enumerate(PANELS):
            self.query_one(f"#{name}").set_class(place == self._panel, "-chosen")
        self.set_class(PANELS[self._panel] in ("importance-panel", "slices-panel"), "-lower")
        self.set_class(PANELS[self._panel] == "trials-panel", "-table")
        if PANELS[self._panel] == "trials-panel":
            self.trials.table.focus()
