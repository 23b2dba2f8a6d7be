"""Thresholds to choose from for a class, and the cost of each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.evaluation import (
    OperatingPoint,
    RankedCounts,
    Undefined,
    best_f1_threshold,
    threshold_for_precision,
    threshold_for_recall,
    threshold_table,
)
from core.evaluation.values import ratio
from tui.charts.plot_chart import Chart, Mark, Series
from tui.terminal.text import amount, number
from tui.terminal.themes import BLUE, GREEN, MISTAKE, ORANGE, YELLOW
from tui.widgets.table import Cell, Column

__all__ = ["COLUMNS", "COST", "Decision", "cells", "cost", "decisions", "threshold_chart"]

COLUMNS = (
    Column("decision", 18, "<"),
    Column("threshold", 9),
    Column("precision", 9),
    Column("recall", 6),
    Column("F1", 6),
    Column("FPR", 6),
)
COST = Column("cost", 0, "<")
STEPS = 400
"""Thresholds at which a chart shows the rates."""


@dataclass(frozen=True)
class Decision:
    """A way to choose a threshold, and its result; ``symbol`` marks it in the chart."""

    name: str
    symbol: str
    point: OperatingPoint | Undefined


def decisions(
    ranked: RankedCounts,
    *,
    probabilities: bool,
    precision: float | None,
    recall: float | None,
    chosen: float | None = None,
    choosing: RankedCounts | None = None,
) -> list[Decision]:
    """Return the thresholds 0.5 (for probabilities), best F1, and those for the requested rates (0 to 1).

    Args:
        chosen: the threshold that was chosen on validation, which comes first.
        choosing: counts of validation, on which the thresholds are chosen; by default those that are shown.
    """

    def shown(point: OperatingPoint | Undefined) -> OperatingPoint | Undefined:
        if choosing is None or isinstance(point, Undefined):
            return point
        return threshold_table(ranked, [point.threshold])[0]

    on = choosing or ranked
    found = [Decision("best F1", "★", shown(best_f1_threshold(on)))]
    if probabilities:
        found.insert(0, Decision("0.5", "○", threshold_table(ranked, [0.5])[0]))
    if chosen is not None:
        found.insert(0, Decision("from validation", "■", threshold_table(ranked, [chosen])[0]))
    if precision is not None:
        found.append(
            Decision(f"precision ≥ {precision:g}", "●", shown(threshold_for_precision(on, precision)))
        )
    if recall is not None:
        found.append(Decision(f"recall ≥ {recall:g}", "◆", shown(threshold_for_recall(on, recall))))
    return found


def cells(decision: Decision) -> list[Cell]:
    """The cells of a decision for `COLUMNS`."""
    point, name = decision.point, f"{decision.symbol} {decision.name}"
    if isinstance(point, Undefined):
        return [name, *["–"] * 5]
    return [name, *map(number, (point.threshold, point.precision, point.recall, point.f1, point.fpr))]


def cost(decision: Decision) -> str:
    """Describe the cost of a decision in samples, or why there is none."""
    point = decision.point
    if isinstance(point, Undefined):
        return point.reason
    positives, flagged = point.tp + point.fn, point.tp + point.fp
    missed = f"misses {amount(point.fn)} of {amount(positives)} positives"
    return f"{missed}; {amount(point.fp)} of {amount(flagged)} alarms are false"


def threshold_chart(ranked: RankedCounts, found: Sequence[Decision], *, probabilities: bool) -> Chart:
    """Precision, recall, F1 and false positive rate against the threshold, with the decisions marked."""
    if not ranked.positives:
        return Chart(empty="no sample is of this class")
    low, high = (0.0, 1.0) if probabilities else (float(ranked.scores[0]), float(ranked.scores[-1]))
    thresholds = np.linspace(low, high, STEPS + 1)
    tp, fp = ranked.counts(thresholds)
    lines = [
        ("precision", ratio(tp, tp + fp), BLUE),
        ("recall", ratio(tp, np.full_like(tp, ranked.positives)), ORANGE),
        ("F1", ratio(2 * tp, ranked.positives + tp + fp), GREEN),
        ("FPR", ratio(fp, np.full_like(fp, ranked.negatives)), MISTAKE),
    ]
    marks = tuple(
        Mark(point.threshold, point.f1, decision.symbol, YELLOW, decision.name)
        for decision in found
        if isinstance(point := decision.point, OperatingPoint)
    )
    return Chart(
        series=tuple(Series(name, thresholds, y, color) for name, y, color in lines),
        marks=marks,
        x_label="threshold",
        x_range=(low, high),
        y_range=(0.0, 1.0),
    )
