"""Residuals: where a regression errs, by how much, and on which samples most."""

from dataclasses import dataclass

import numpy as np
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widget import Widget

from core.evaluation import error_quantiles, residuals
from tui.charts.plot import Plot
from tui.charts.plot_chart import Chart, Series
from tui.screens.evaluate.sample_list import SampleList
from tui.screens.evaluate.tab import EvaluationTab, Subject
from tui.terminal.text import number
from tui.terminal.themes import BLUE
from tui.widgets.panel import Panel
from tui.widgets.table import Column, Table

__all__ = ["ResidualsTab"]

LEVELS = (0.5, 0.75, 0.9, 0.95, 0.99, 1.0)
MAX_ROWS = 1000
MAX_POINTS = 20_000
"""Maximum number of dots: more would only fill the chart."""


@dataclass(frozen=True, eq=False)
class Errors:
    """Errors of all samples (n,), their quantiles by level, and the positions of the largest ones."""

    residual: np.ndarray
    quantiles: dict[float, float]
    largest: np.ndarray


class ResidualsTab(EvaluationTab):
    """Residual against prediction, error quantiles, largest errors."""

    TITLE = "Residuals"

    def __init__(self) -> None:
        super().__init__(id="residuals")

    def compose(self) -> ComposeResult:
        with Panel(classes="plot-panel"):
            yield Plot()
        with Vertical(id="errors-side"):
            with Panel(id="quantiles-panel"):
                yield Table(id="quantiles")
            with Panel(id="largest-panel"):
                yield SampleList()

    def main_widget(self) -> Widget | None:
        return self.query_one(SampleList).active or self.query_one("#quantiles")

    def draw(self, subject: Subject) -> None:
        self.query_one(Plot).show(Chart(empty="sorting errors ..."))
        self.in_background("errors", lambda progress: _errors(subject), self._show)

    def _show(self, errors: Errors) -> None:
        if self.subject is None:
            return
        self.query_one(Plot).show(_chart(self.subject.predictions.scores, errors.residual))
        panel = self.query_one(".plot-panel", Panel)
        panel.border_title = "residual: target − prediction"
        panel.border_subtitle = f"mean {number(float(errors.residual.mean()))}"
        rows = list(errors.quantiles.items())
        columns = [Column("share of samples", 0, "<"), Column("error at most", 14)]
        self.query_one("#quantiles", Table).show(
            columns, len(rows), lambda row: (f"{100 * rows[row][0]:g} %", number(rows[row][1]))
        )
        self.query_one("#quantiles-panel", Panel).border_title = "error quantiles"
        self.query_one("#largest-panel", Panel).border_title = "largest errors"
        self.query_one(SampleList).show(self.subject, errors.largest)

    @on(SampleList.Highlighted)
    def _highlighted(self, event: SampleList.Highlighted) -> None:
        self.query_one("#largest-panel", Panel).border_subtitle = event.text


def _errors(subject: Subject) -> Errors:
    residual = residuals(subject.predictions)
    largest = np.argsort(-np.abs(residual), kind="stable")[:MAX_ROWS]
    return Errors(residual, error_quantiles(residual, LEVELS), largest)


def _chart(predicted: np.ndarray, residual: np.ndarray) -> Chart:
    every = max(1, len(predicted) // MAX_POINTS)
    ends = (float(predicted.min()), float(predicted.max()))
    return Chart(
        series=(
            Series("", ends, (0.0, 0.0)),
            Series("residual", predicted[::every], residual[::every], BLUE, style="points"),
        ),
        x_label="prediction",
        y_label="residual",
    )
