"""ROC and precision-recall curves of an evaluation, thinned to what a terminal shows, and their charts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.evaluation import (
    PrecisionRecallCurve,
    Predictions,
    RankedCounts,
    Report,
    RocCurve,
    Undefined,
    macro_precision_recall,
    macro_roc,
    micro,
    one_vs_rest,
    precision_recall,
    roc,
    thin,
)
from core.palette import OKABE_ITO
from core.runs.history.series import Floats
from tui.charts.plot_chart import RGB, Chart, Mark, Series
from tui.terminal.text import fit
from tui.terminal.themes import YELLOW

__all__ = [
    "KINDS",
    "Curve",
    "Kind",
    "Point",
    "chart",
    "curves_of",
    "drawing_order",
    "few",
    "first_chosen",
    "first_shown",
]

Kind = Literal["roc", "pr"]

KINDS: dict[Kind, tuple[str, str]] = {
    "roc": ("ROC, one-vs-rest", "AUC"),
    "pr": ("PR, one-vs-rest", "average precision"),
}
"""Title of each kind of chart, and the name of the area under its lines."""
COLUMNS = 100
"""Curves keep what can be seen on an axis of this many columns."""
NAME_WIDTH = 20
MAX_LINES = 8
"""As many lines as can be told apart in one chart."""
MEAN, POOLED = (150, 150, 150), (205, 205, 205)
PALETTE = OKABE_ITO[:6]


@dataclass(frozen=True)
class Point:
    """What follows from one threshold of a curve; None where undefined, and counts unknown on a mean of curves."""

    threshold: float | None
    precision: float | None
    recall: float
    f1: float | None
    fpr: float | None
    tp: int | None = None
    fp: int | None = None


@dataclass(frozen=True, eq=False)
class Curve:
    """One class against the rest, all classes pooled (micro), or the mean of all (macro).

    Attributes:
        area: of each kind of chart: ROC AUC and average precision; None where undefined.
        lines: x and y of each kind, equally long unless this is a mean; None where undefined, for a `reason`.
        prevalence: share of positives, 0 to 1: the precision of a guess.
        ranked: None for a mean of curves; ``thresholds`` (k,), ``tp`` (k,), ``fp`` (k,) belong to the points of
            both lines, the first threshold being infinite.
    """

    name: str
    area: dict[Kind, float | None]
    lines: dict[Kind, tuple[Floats, Floats] | None]
    prevalence: float
    reason: str = ""
    positives: int = 0
    negatives: int = 0
    thresholds: Floats | None = None
    tp: Floats | None = None
    fp: Floats | None = None
    color: RGB = MEAN

    def point(self, kind: Kind, place: int) -> Point:
        """The operating point at a place along a line."""
        if self.thresholds is None or self.tp is None or self.fp is None:
            line = self.lines[kind]
            assert line is not None
            x, y = float(line[0][place]), float(line[1][place])
            return Point(None, None, y, None, x) if kind == "roc" else Point(None, y, x, None, None)
        tp, fp = int(self.tp[place]), int(self.fp[place])
        return Point(
            threshold=float(self.thresholds[place]),
            precision=tp / (tp + fp) if tp + fp else None,
            recall=tp / self.positives,
            f1=2 * tp / (self.positives + tp + fp),
            fpr=fp / self.negatives if self.negatives else None,
            tp=tp,
            fp=fp,
        )

    def best_place(self) -> int:
        """Where F1 is highest; 0 on a mean of curves."""
        if self.tp is None or self.fp is None:
            return 0
        return int(np.argmax(2 * self.tp / (self.positives + self.tp + self.fp)))


def curves_of(predictions: Predictions, report: Report) -> list[Curve]:
    """The curves of all classes in their order, then micro and macro; sorts the scores of each class once."""
    exact: list[tuple[RocCurve | None, PrecisionRecallCurve | None]] = []
    curves = []
    for number, facts in enumerate(report.per_class):
        ranked = one_vs_rest(predictions.scores[:, number], predictions.targets == number)
        area: dict[Kind, float | None] = {
            "roc": _number(facts["roc_auc"]),
            "pr": _number(facts["average_precision"]),
        }
        curve, lines = _curve(str(facts["name"]), ranked, area, PALETTE[number % len(PALETTE)])
        curves.append(curve)
        exact.append(lines)
    pooled, _ = _curve(
        "micro", micro(predictions.scores, predictions.targets), _areas(report, "micro"), POOLED
    )
    return [*curves, pooled, _mean(exact, report)]


def _curve(
    name: str, ranked: RankedCounts, area: dict[Kind, float | None], color: RGB
) -> tuple[Curve, tuple[RocCurve | None, PrecisionRecallCurve | None]]:
    by_fpr, by_recall = roc(ranked), precision_recall(ranked)
    prevalence = ranked.positives / len(ranked.scores)
    if isinstance(by_recall, Undefined):
        nothing: dict[Kind, tuple[Floats, Floats] | None] = {"roc": None, "pr": None}
        return Curve(name, area, nothing, prevalence, by_recall.reason, color=color), (None, None)
    kept = thin(by_recall.recall, by_recall.precision, COLUMNS)
    reason = by_fpr.reason if isinstance(by_fpr, Undefined) else ""
    roc_curve = None if isinstance(by_fpr, Undefined) else by_fpr
    if roc_curve is not None:
        kept = np.union1d(kept, thin(roc_curve.fpr, roc_curve.tpr, COLUMNS))
    curve = Curve(
        name,
        area,
        {
            "roc": (roc_curve.fpr[kept], roc_curve.tpr[kept]) if roc_curve else None,
            "pr": (by_recall.recall[kept], by_recall.precision[kept]),
        },
        prevalence,
        reason,
        ranked.positives,
        ranked.negatives,
        np.append(np.inf, ranked.thresholds)[kept],
        np.append(0, ranked.tp)[kept],
        np.append(0, ranked.fp)[kept],
        color,
    )
    return curve, (roc_curve, by_recall)


def _mean(exact: Sequence[tuple[RocCurve | None, PrecisionRecallCurve | None]], report: Report) -> Curve:
    """The mean over the classes that have a curve."""
    by_fpr = [roc_curve for roc_curve, _ in exact if roc_curve is not None]
    by_recall = [curve for _, curve in exact if curve is not None]
    lines: dict[Kind, tuple[Floats, Floats] | None] = {"roc": None, "pr": None}
    if by_fpr:
        mean_roc = macro_roc(by_fpr, COLUMNS + 1)
        lines["roc"] = (mean_roc.fpr, mean_roc.tpr)
    if by_recall:
        mean_pr = macro_precision_recall(by_recall, COLUMNS + 1)
        lines["pr"] = (mean_pr.recall, mean_pr.precision)
    reason = "" if by_fpr else "no class has both positives and negatives"
    return Curve("macro", _areas(report, "macro"), lines, 1 / len(exact), reason, color=MEAN)


def _areas(report: Report, mean: str) -> dict[Kind, float | None]:
    return {
        "roc": report.metrics.get(f"roc_auc_{mean}"),
        "pr": report.metrics.get(f"average_precision_{mean}"),
    }


def _number(value: str | int | float | None) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


def first_shown(curves: Sequence[Curve], kind: Kind, most: int = MAX_LINES) -> list[int]:
    """Which curves to show first: of two classes the positive one; else micro, macro and the worst classes."""
    classes = len(curves) - 2
    if classes == 2:
        return [1] if curves[1].lines[kind] else []
    there = [number for number in range(classes) if curves[number].lines[kind]]
    worst = sorted(there, key=lambda number: curves[number].area[kind] or 0.0)[: most - 2]
    means = [number for number in (classes, classes + 1) if curves[number].lines[kind]]
    return sorted(worst) + means


def few(curves: Sequence[Curve], kind: Kind) -> list[int]:
    """Up to three curves, for a chart without colour: the positive class of two; or the worst one and the means."""
    return first_shown(curves, kind, most=3)


def first_chosen(curves: Sequence[Curve], kind: Kind) -> int:
    """The curve to begin with: the positive one of two classes, else the worst class shown."""
    shown = first_shown(curves, kind)
    return min(
        shown, key=lambda number: (number >= len(curves) - 2, curves[number].area[kind] or 0.0), default=0
    )


def drawing_order(curves: Sequence[Curve], shown: Sequence[int], kind: Kind, chosen: int) -> list[int]:
    """Those of some curves that have a line, in the order in which a chart draws them, after that of a guess."""
    return sorted((n for n in shown if curves[n].lines[kind]), key=lambda n: (n == chosen, -n))


def chart(
    curves: Sequence[Curve],
    shown: Sequence[int],
    kind: Kind,
    *,
    at: tuple[int, int] | None = None,
    markers: Sequence[str] = (),
) -> Chart:
    """The chart of some curves: means below, classes above, a quiet line for a guess.

    Args:
        shown: numbers of curves; those without a line are left out.
        at: the curve and the place on it where the cursor stands; that curve lies on top.
        markers: one for each of `shown`, where colour cannot tell them apart.
    """
    chosen = at[0] if at else -1
    marker_of = dict(zip(shown, markers, strict=False))
    order = drawing_order(curves, shown, kind, chosen)
    series = [
        Series(curves[n].name, *line, curves[n].color, marker_of.get(n, "braille"))
        for n in order
        if (line := curves[n].lines[kind]) is not None
    ]
    guess = _guess(curves[chosen if at else order[-1]] if order else None, kind)
    across, up = ("false positive rate", "true positive rate") if kind == "roc" else ("recall", "precision")
    return Chart(
        series=(*guess, *series) if series else (),
        marks=_cursor(curves[chosen], kind, at[1]) if at and chosen in shown else (),
        x_label=across,
        y_label=up,
        x_range=(0.0, 1.0),
        y_range=(0.0, 1.0),
        empty="no curve is shown" if curves else "",
    )


def _cursor(curve: Curve, kind: Kind, place: int) -> tuple[Mark, ...]:
    line = curve.lines[kind]
    if line is None:
        return ()
    x, y = (float(values[place]) for values in line)
    return (Mark(x, y, "●", YELLOW, fit(curve.name, NAME_WIDTH).rstrip()),)


def _guess(curve: Curve | None, kind: Kind) -> tuple[Series, ...]:
    """What guessing reaches: the diagonal, or the share of positives."""
    if curve is None:
        return ()
    ends = (0.0, 1.0) if kind == "roc" else (curve.prevalence, curve.prevalence)
    return (Series("", (0.0, 1.0), ends),)
