"""Residuals: where a regression errs, by how much, and on which samples most."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget

from core.evaluation import error_quantiles, residuals
from core.evaluation.error_views import sample_at
from tui.charts.evaluation.errors import VIEWS
from tui.charts.explore.plot import ExploringPlot
from tui.charts.explore.window import WHOLE
from tui.charts.plot_chart import Chart
from tui.screens.evaluate.detail import SampleDialog
from tui.screens.evaluate.sample_list import SampleList
from tui.screens.evaluate.tab import EvaluationTab, Subject
from tui.screens.explored import EXPLORE_KEYS, ExploresCharts
from tui.terminal.text import clean, number
from tui.widgets.panel import Panel
from tui.widgets.table import Column, Table

__all__ = ["ResidualsTab"]

LEVELS = (0.5, 0.75, 0.9, 0.95, 0.99, 1.0)
LEVEL_NAMES = {0.5: "50 %, the median", 1.0: "100 %, the largest"}
MAX_ROWS = 1000


@dataclass(frozen=True, eq=False)
class Errors:
    """Errors of all samples (n,), their quantiles by level, and the positions of the largest ones."""

    residual: np.ndarray
    quantiles: dict[float, float]
    largest: np.ndarray


class ResidualsTab(ExploresCharts, EvaluationTab):
    """Residual against prediction, error quantiles, largest errors."""

    TITLE = "Residuals"
    BINDINGS: ClassVar[list[BindingType]] = [
        *EXPLORE_KEYS,
        Binding("n", "turn(1)", "next target", tooltip="Show the errors of the next target"),
        Binding("N", "turn(-1)", "previous target", show=False),
        Binding("c", "chart(1)", "chart", tooltip="Show the errors from another side"),
        Binding("C", "chart(-1)", "previous chart", show=False),
    ]

    def __init__(self) -> None:
        super().__init__(id="residuals")
        self.target, self.view = 0, 0
        self.shown: tuple[Subject, Errors] | None = None

    def action_chart(self, by: int) -> None:
        """Show the errors from another side."""
        self.view = (self.view + by) % len(VIEWS)
        self._clear_chart()
        self._draw_chart()

    def _clear_chart(self, why: str = "") -> None:
        """Empty the chart; the part of it that was shown says nothing of the next one."""
        plot = self.query_one(ExploringPlot)
        plot.explore(WHOLE)
        plot.show(Chart(empty=why))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer another target where there are several."""
        return action != "turn" or (self.subject is not None and self.subject.predictions.target_count > 1)

    def action_turn(self, by: int) -> None:
        """Show the errors of another target."""
        if self.subject is not None:
            self.target = (self.target + by) % self.subject.predictions.target_count
            self._show_target(self.subject)

    def compose(self) -> ComposeResult:
        with Panel(classes="plot-panel"):
            yield ExploringPlot(both=True)
        with Vertical(id="errors-side"):
            with Panel(id="quantiles-panel"):
                yield Table(id="quantiles")
            with Panel(id="largest-panel"):
                yield SampleList()

    def main_widget(self) -> Widget | None:
        return self.query_one(SampleList).active or self.query_one("#quantiles")

    def draw(self, subject: Subject) -> None:
        self.target = 0
        self.refresh_bindings()
        self._show_target(subject)

    def _show_target(self, subject: Subject) -> None:
        shown = subject.of_target(self.target)
        self._clear_chart("sorting errors ...")
        self.in_background(
            "errors", lambda progress: _errors(shown), lambda errors: self._show(shown, errors)
        )

    def _show(self, subject: Subject, errors: Errors) -> None:
        self.shown = subject, errors
        self._draw_chart()
        rows = list(errors.quantiles.items())
        columns = [Column("share of samples", 0, "<"), Column("error at most", 14)]
        self.query_one("#quantiles", Table).show(
            columns,
            len(rows),
            lambda row: (LEVEL_NAMES.get(rows[row][0], f"{100 * rows[row][0]:g} %"), number(rows[row][1])),
        )
        self.query_one("#quantiles-panel", Panel).border_title = "error quantiles"
        self.query_one("#largest-panel", Panel).border_title = "largest errors"
        self.query_one(SampleList).show(subject, errors.largest)

    def _draw_chart(self) -> None:
        """Draw the errors as the view has them."""
        if self.shown is None:
            return
        subject, errors = self.shown
        title, draw = VIEWS[self.view]
        self.query_one(ExploringPlot).show(draw(subject.predictions, errors.residual))
        panel = self.query_one(".plot-panel", Panel)
        panel.border_title = f"{self._of_target(subject)}{title}"
        mean, median = float(errors.residual.mean()), errors.quantiles[0.5]
        panel.border_subtitle = f"mean {number(mean)}  median of |error| {number(median)}"

    @on(Table.Chosen, "#quantiles")
    def _quantile_chosen(self, event: Table.Chosen) -> None:
        """Open the sample whose error is that of the row."""
        if self.shown is None:
            return
        subject, errors = self.shown
        if not subject.samples.loaded:
            return
        sizes = np.abs(errors.residual)
        ascending = np.argsort(sizes, kind="stable")
        positions = ascending[::-1]
        wanted = sample_at(sizes, ascending, LEVELS[event.row])
        place = int(np.flatnonzero(positions == wanted)[0])
        self.app.push_screen(SampleDialog(subject, positions, place))

    def _of_target(self, subject: Subject) -> str:
        """Name the target that is shown, of several."""
        rows = subject.report.per_target
        if not rows:
            return ""
        return f"{clean(str(rows[self.target]['name']))}, {self.target + 1} of {len(rows)}: "

    @on(SampleList.Highlighted)
    def _highlighted(self, event: SampleList.Highlighted) -> None:
        self.query_one("#largest-panel", Panel).border_subtitle = event.text


def _errors(subject: Subject) -> Errors:
    residual = residuals(subject.predictions)
    largest = np.argsort(-np.abs(residual), kind="stable")[:MAX_ROWS]
    return Errors(residual, error_quantiles(residual, LEVELS), largest)
