"""Which thresholds one may take for a class, and what each costs."""

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
from tui.curves import Curve
from tui.text import count, number, percent
from tui.themes import BLUE, GREEN, MISTAKE, ORANGE, YELLOW
from tui.widgets.plot_chart import Chart, Mark, Series
from tui.widgets.table import Cell, Column

__all__ = ["COLUMNS", "Decision", "cells", "decisions", "threshold_chart"]

COLUMNS = (
    Column("decision", 17, "<"),
    Column("threshold", 9),
    Column("precision", 9),
    Column("recall", 7),
    Column("F1", 7),
    Column("FPR", 7),
    Column("cost", 0, "<"),
)


@dataclass(frozen=True)
class Decision:
    """A way to choose a threshold, and what it leads to; ``symbol`` stands in the chart."""

    name: str
    symbol: str
    point: OperatingPoint | Undefined


def decisions(
    ranked: RankedCounts, *, probabilities: bool, precision: float | None, recall: float | None
) -> list[Decision]:
    """Half, for probabilities; the best F1; and what was asked for (0 to 1)."""
    found = [Decision("best F1", "★", best_f1_threshold(ranked))]
    if probabilities:
        found.insert(0, Decision("0.5", "┃", threshold_table(ranked, [0.5])[0]))
    if precision is not None:
        found.append(Decision(f"precision ≥ {precision:g}", "●", threshold_for_precision(ranked, precision)))
    if recall is not None:
        found.append(Decision(f"recall ≥ {recall:g}", "◆", threshold_for_recall(ranked, recall)))
    return found


def cells(decision: Decision) -> list[Cell]:
    """The cells of a decision for `COLUMNS`."""
    point, name = decision.point, f"{decision.symbol} {decision.name}"
    if isinstance(point, Undefined):
        return [name, *["–"] * 5, point.reason]
    rates = map(number, (point.precision, point.recall, point.f1, point.fpr))
    return [name, number(point.threshold), *rates, _cost(point)]


def _cost(point: OperatingPoint) -> str:
    positives, flagged = point.tp + point.fn, point.tp + point.fp
    missed = f"misses {count(point.fn)} of {count(positives)}"
    share = percent(point.fp / flagged if flagged else None)
    unit = " %" if flagged else ""
    return f"{missed}, {count(point.fp)} false alarms of {count(flagged)} ({share}{unit})"


def threshold_chart(curve: Curve, found: list[Decision], *, probabilities: bool) -> Chart:
    """Precision, recall, F1 and false positive rate against the threshold, with the decisions marked."""
    if curve.thresholds is None or curve.tp is None or curve.fp is None:
        return Chart(empty=curve.reason)
    # From the lowest threshold up, without the infinite one.
    thresholds, tp, fp = curve.thresholds[:0:-1], curve.tp[:0:-1], curve.fp[:0:-1]
    lines = [
        ("precision", tp / (tp + fp), BLUE),
        ("recall", tp / curve.positives, ORANGE),
        ("F1", 2 * tp / (curve.positives + tp + fp), GREEN),
        ("FPR", fp / curve.negatives if curve.negatives else np.full(len(fp), np.nan), MISTAKE),
    ]
    marks = tuple(
        Mark(point.threshold, point.f1, decision.symbol, YELLOW, decision.name)
        for decision in found
        if isinstance(point := decision.point, OperatingPoint)
    )
    ends = (0.0, 1.0) if probabilities else (None, None)
    return Chart(
        series=tuple(Series(name, thresholds, y, color) for name, y, color in lines),
        marks=marks,
        x_label="threshold",
        x_range=ends,
        y_range=(0.0, 1.0),
    )
