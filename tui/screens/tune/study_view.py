"""A study: its trials, the best so far, all curves, importance, and each parameter against the metric."""

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from tui.charts.study import best_chart, curves_chart
from tui.screens.tune.graphs import GRAPHS, Graphs, visible
from tui.screens.tune.importance_panel import ImportancePanel
from tui.screens.tune.trials_panel import TrialsPanel
from tui.widgets.chart_panel import ChartPanel

if TYPE_CHECKING:
    from tui.runtime.study_follower import Standing

__all__ = ["StudyView"]

UPPER = ("trials-panel", "best-panel", "curves-panel")
LOWER = {"importance": "importance-panel", **GRAPHS}
"""Panels in the order in which small screens show them; those below by the page that they show."""


class StudyView(Vertical):
    """All panels; on small screens one at a time."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._standing: Standing | None = None
        self._turned = False
        self._panel = 0
        self.hides = False

    def compose(self) -> ComposeResult:
        with Horizontal(id="study-upper"):
            yield TrialsPanel(id="trials-panel")
            with Vertical(id="study-charts"):
                yield ChartPanel(id="best-panel", explores=True, focusable=True)
                yield ChartPanel(id="curves-panel", explores=True, focusable=True)
        with Horizontal(id="study-lower"):
            yield ImportancePanel(id="importance-panel")
            yield Graphs(id="graphs")

    def on_mount(self) -> None:
        self.turn_panel(0)

    @property
    def trials(self) -> TrialsPanel:
        """The table."""
        return self.query_one(TrialsPanel)

    @property
    def graphs(self) -> Graphs:
        """The pages below."""
        return self.query_one(Graphs)

    @property
    def _log_y(self) -> bool:
        """Return whether the axis of the metric is logarithmic; that of an error is, unless switched."""
        error = self._standing is not None and self._standing.plan.direction == "minimize"
        return error != self._turned

    def show(self, standing: "Standing") -> None:
        """Show the state of a study."""
        if self._standing is None or standing.folder != self._standing.folder:
            self.trials.start()
            self.graphs.compare(None)
        self._standing = standing
        self.trials.show(visible(standing, self.hides))
        self.query_one(ImportancePanel).show(standing)
        self.draw_charts()

    def draw_charts(self) -> None:
        """Draw what depends on the trial under the cursor or on the axes."""
        if self._standing is None:
            return
        standing = visible(self._standing, self.hides)
        chosen = self.trials.selected
        metric = standing.plan.metric
        best = best_chart(standing, self._log_y)
        curves = curves_chart(standing, self._log_y, chosen.number if chosen else None)
        self.query_one("#best-panel", ChartPanel).show(metric, best)
        self.query_one("#curves-panel", ChartPanel).show("epochs", curves)
        self.graphs.show(standing, self._log_y)

    def toggle_log(self) -> None:
        """Switch the metric axis between logarithmic and linear."""
        self._turned = not self._turned
        self.draw_charts()

    def toggle_hidden(self) -> bool:
        """Hide pruned and failed trials, or show them again; return whether they are hidden now."""
        self.hides = not self.hides
        if self._standing is not None:
            self.show(self._standing)
        return self.hides

    @property
    def _panels(self) -> list[str]:
        pages = ("importance", *self.graphs.pages)
        return [*UPPER, *(LOWER[page] for page in pages)]

    def turn_panel(self, by: int) -> None:
        """Switch to the next panel, on screens with room for one."""
        panels = self._panels
        self._panel = (self._panel + by) % len(panels)
        chosen = panels[self._panel]
        for name in (*UPPER, *LOWER.values()):
            self.query_one(f"#{name}").set_class(name == chosen, "-chosen")
        self.set_class(chosen not in UPPER, "-lower")
        self.set_class(chosen == "importance-panel", "-importance")
        self.set_class(chosen == "trials-panel", "-table")
        for page, name in GRAPHS.items():
            if name == chosen:
                self.graphs.draw(page)
        if chosen == "trials-panel":
            self.trials.table.focus()
