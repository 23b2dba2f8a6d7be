"""Calibration: are predictions with 80 % confidence right eight times in ten?"""

from dataclasses import dataclass

import numpy as np
from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import Static

from core.data.dataset import Progress
from core.evaluation import Calibration, calibration_curve, expected_calibration_error
from core.evaluation.calibration import probabilities_of
from core.evaluation.checks import why_not_probabilities
from tui.charts.plot import Plot
from tui.charts.plot_chart import Chart, Series
from tui.screens.base import NARROW
from tui.screens.evaluate.bars import bar
from tui.screens.evaluate.tab import EvaluationTab, Subject
from tui.terminal.text import count, number
from tui.terminal.themes import BLUE
from tui.widgets.panel import Panel
from tui.widgets.table import Cell, Column, Table

__all__ = ["CalibrationTab"]

FEW = 10
"""Bins of fewer samples are shown, but not joined."""
BAR, BAR_PLACE = 14, 1
"""Cells of the longest bar, and its column."""


@dataclass(frozen=True)
class Reliability:
    """Calibration of the most probable class: the curve, its error, mean confidence and accuracy, all 0 to 1."""

    curve: Calibration
    error: float
    confidence: float
    accuracy: float


class CalibrationTab(EvaluationTab):
    """Reliability of the most probable class, and the distribution of confidence."""

    TITLE = "Calibration"

    def __init__(self) -> None:
        super().__init__(id="calibration")
        self.curve: Calibration | None = None

    def compose(self) -> ComposeResult:
        with Panel(classes="plot-panel"):
            yield Plot()
        with Panel(id="bins-panel"):
            yield Table(id="bins")
        yield Static("", classes="readout", markup=False)
        yield Static("", id="no-calibration", markup=False)

    def main_widget(self) -> Widget | None:
        return self.query_one("#bins")

    def draw(self, subject: Subject) -> None:
        self.query_one(Plot).show(Chart(empty="sorting scores ..."))
        self.set_class(False, "-without")
        self.in_background("reliability", lambda progress: _reliability(subject, progress), self._show)

    @property
    def _of_labels(self) -> bool:
        return self.subject is not None and self.subject.predictions.has_labels

    def on_resize(self) -> None:
        if self.curve is not None:
            self._show_bins(self.curve)

    def _show(self, found: Reliability | str) -> None:
        self.set_class(isinstance(found, str), "-without")
        if isinstance(found, str):
            text = f"No calibration curve: {found}.\n\nCross-entropy trains a model whose scores are probabilities."
            self.query_one("#no-calibration", Static).update(text)
            return
        curve = found.curve
        labels = self._of_labels
        self.query_one(Plot).show(_chart(curve, labels=labels))
        panel = self.query_one(".plot-panel", Panel)
        panel.border_title = "reliability, all labels" if labels else "reliability, most probable class"
        expected = self.subject.report.baseline.get("ece") if self.subject else None
        beside = f"  (calibrated: {number(expected)})" if isinstance(expected, float) else ""
        few = f"○ under {FEW} samples  ·  " if (curve.count < FEW).any() else ""
        panel.border_subtitle = f"{few}ECE {number(found.error)}{beside}"
        bins = "probability, pairs of sample and label, share" if labels else "confidence, samples, accuracy"
        self.query_one("#bins-panel", Panel).border_title = bins
        self.curve = curve
        self._show_bins(curve)
        gap = found.confidence - found.accuracy
        tendency = "over-confident" if gap > 0 else "under-confident"
        self.query_one(".readout", Static).update(
            f"mean {'probability' if labels else 'confidence'} {number(found.confidence)}, "
            f"{'share of labels' if labels else 'accuracy'} {number(found.accuracy)}: "
            f"{tendency} by {number(abs(gap))}"
        )

    def _show_bins(self, curve: Calibration) -> None:
        """One row per bin; bars only where they leave room for the numbers."""
        roomy = self.screen.size.width >= NARROW
        of_what = "probability" if self._of_labels else "confidence"
        columns = [
            Column(of_what, 11, "<") if roomy else Column("range", 9, "<"),
            Column("", BAR, "<"),
            Column("samples", 7),
            Column("mean", 5),
            Column("share" if self._of_labels else "accuracy", 8),
        ]
        kept = [place for place in range(len(columns)) if roomy or place != BAR_PLACE]

        def cells(row: int) -> list[Cell]:
            whole = _bin(curve, row)
            return [whole[place] for place in kept]

        self.query_one("#bins", Table).show([columns[place] for place in kept], len(curve.count), cells)


def _reliability(subject: Subject, progress: Progress) -> Reliability | str:
    """Return the curve, or the reason why there is none."""
    reason = why_not_probabilities(subject.predictions)
    if reason is not None:
        return reason
    predictions = subject.predictions
    confidence, right = probabilities_of(predictions)
    curve = calibration_curve(confidence, right)
    return Reliability(
        curve,
        expected_calibration_error(curve),
        float(confidence.mean(dtype=np.float64)),
        float(right.mean()),
    )


def _chart(curve: Calibration, *, labels: bool) -> Chart:
    """The line joins the bins with enough samples; a few samples say little, so their bins stand apart, muted."""
    enough = curve.count >= FEW
    return Chart(
        series=(
            Series("", (0.0, 1.0), (0.0, 1.0)),
            Series("", curve.predicted[~enough], curve.observed[~enough], None, "○", "points"),
            Series("model", curve.predicted[enough], curve.observed[enough], BLUE),
            Series("", curve.predicted[enough], curve.observed[enough], BLUE, "●", "points"),
        ),
        x_label="probability" if labels else "confidence",
        y_label="share" if labels else "accuracy",
        x_range=(0.0, 1.0),
        y_range=(0.0, 1.0),
        named=True,
    )


def _bin(curve: Calibration, row: int) -> list[Cell]:
    samples = int(curve.count[row])
    return [
        f"{curve.lower[row]:.2f}–{curve.upper[row]:.2f}",
        (bar(samples / int(curve.count.max()), BAR), BLUE),
        count(samples),
        number(float(curve.predicted[row]), 3),
        number(float(curve.observed[row]), 3),
    ]
