"""Lift: what is gained by those that score highest, and the numbers that two classes alone have."""

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Label, Static

from core.evaluation import Predictions
from core.evaluation.two_classes.numbers import BETA, MAX_FPR, Number, two_class_numbers
from core.evaluation.two_classes.steps import ScoreSteps, steps_of
from tui.charts.evaluation.lift import LIFTS
from tui.charts.explore.plot import ExploringPlot
from tui.charts.explore.window import WHOLE
from tui.charts.plot_chart import Chart
from tui.screens.evaluate.facts import label
from tui.screens.evaluate.tab import EvaluationTab, Subject
from tui.screens.explored import EXPLORE_KEYS, ExploresCharts
from tui.terminal.text import clean, number
from tui.widgets.panel import Panel
from tui.widgets.table import Column, Table

__all__ = ["LiftTab"]

COLUMNS = (Column("", 0, "<"), Column("value", 6), Column("95 %", 15), Column("at", 6))


@dataclass(frozen=True, eq=False)
class Found:
    """Everything that the tab shows; `problem` is about a number that was typed."""

    steps: ScoreSteps
    numbers: list[Number]
    problem: str = ""


class LiftTab(ExploresCharts, EvaluationTab):
    """A chart, the numbers of the positive class, and the arguments of two of them."""

    TITLE = "Lift"
    BINDINGS: ClassVar[list[BindingType]] = [
        *EXPLORE_KEYS,
        Binding("c", "chart(1)", "chart", tooltip="Show lift, gains, or the distributions of scores"),
        Binding("C", "chart(-1)", "previous chart", show=False),
        Binding("b", "ask('beta')", "beta", tooltip="Enter how much more recall counts than precision"),
        Binding(
            "f", "ask('fpr')", "FPR", tooltip="Enter the largest false positive rate of the partial area"
        ),
    ]

    def __init__(self) -> None:
        super().__init__(id="lift")
        self.view = 0
        self.found: Found | None = None

    def compose(self) -> ComposeResult:
        with Panel(classes="plot-panel"):
            yield ExploringPlot(both=True)
        with Panel(classes="list-panel"):
            yield Table(id="lift-numbers")
        with Horizontal(id="lift-arguments"):
            yield Label("beta")
            yield Input(f"{BETA:g}", id="lift-beta", compact=True, max_length=8)
            yield Label("FPR up to")
            yield Input(f"{MAX_FPR:g}", id="lift-fpr", compact=True, max_length=8)
            yield Static("", id="lift-problem", markup=False)

    def main_widget(self) -> Widget | None:
        return self.query_one("#lift-numbers")

    def action_chart(self, by: int) -> None:
        """Show another chart."""
        self.view = (self.view + by) % len(LIFTS)
        self.query_one(ExploringPlot).explore(WHOLE)
        self._draw_chart()

    def action_ask(self, what: str) -> None:
        """Focus the field of an argument."""
        self.query_one(f"#lift-{what}").focus()

    def draw(self, subject: Subject) -> None:
        self.found = None
        self.query_one(ExploringPlot).explore(WHOLE)
        self.query_one(ExploringPlot).show(Chart(empty="sorting scores ..."))
        self.query_one("#lift-numbers", Table).show((), 0, lambda row: ())
        self._compute()

    @on(Input.Changed)
    def _compute(self) -> None:
        """Compute everything anew."""
        if self.subject is None:
            return
        predictions = self.subject.predictions
        beta, fpr = (self.query_one(f"#lift-{name}", Input).value for name in ("beta", "fpr"))
        self.in_background("numbers", lambda progress: _found(predictions, beta, fpr), self._show)

    @on(Input.Submitted)
    def _entered(self) -> None:
        self.query_one("#lift-numbers").focus()

    def _show(self, found: Found) -> None:
        self.found = found
        rows = found.numbers
        table = self.query_one("#lift-numbers", Table)
        table.show(COLUMNS, len(rows), lambda row: _cells(rows[row]))
        panel = self.query_one(".list-panel", Panel)
        positive = self.subject.report.positive if self.subject else ""
        panel.border_title = f"of {label(positive)}"
        reasons = [f"no interval: {each.reason}" for each in rows if each.reason]
        problem = f"✗ {found.problem}" if found.problem else clean(reasons[0]) if reasons else ""
        self.query_one("#lift-problem", Static).update(Content(problem))
        self._draw_chart()

    def _draw_chart(self) -> None:
        if self.found is None:
            return
        steps = self.found.steps
        title, draw = LIFTS[self.view]
        there = steps.positives and steps.negatives
        self.query_one(ExploringPlot).show(
            draw(steps) if there else Chart(empty="all samples are of one class")
        )
        self.query_one(".plot-panel", Panel).border_title = title


def _found(predictions: Predictions, beta: str, fpr: str) -> Found:
    steps = steps_of(predictions.scores[:, 1], predictions.positive(1), predictions.weights)
    try:
        return Found(steps, two_class_numbers(predictions, beta=float(beta), max_fpr=float(fpr)))
    except ValueError as error:
        return Found(steps, [], clean(str(error)))


def _cells(each: Number) -> list[str]:
    ends = " … ".join(number(end, 3) for end in each.interval) if each.interval else ""
    at = number(each.at, 3) if each.at is not None else ""
    return [each.title, number(each.value), ends, at]
