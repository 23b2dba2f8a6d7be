"""The set of ROC and precision-recall curves of an evaluation: which there are, and which are drawn first.

The screen, the printed plots and the report draw the same set.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from core.evaluation.curves import (
    PrecisionRecallCurve,
    RankedCounts,
    RocCurve,
    macro_precision_recall,
    macro_roc,
    micro,
    precision_recall,
    roc,
    thin,
)
from core.evaluation.predictions import Predictions
from core.evaluation.report import Report
from core.evaluation.two_classes.worth import correlation_of_classes, worth_of_class, worth_of_pairs
from core.evaluation.values import Floats, Undefined
from core.evaluation.weighted import ranked_counts

__all__ = [
    "MAX_LINES",
    "MEANS",
    "Curve",
    "CurveKind",
    "Point",
    "curves_of",
    "few",
    "first_chosen",
    "first_shown",
]

CurveKind = Literal["roc", "pr"]
MEANS = ("micro", "macro")
"""Names of the curves that follow those of the classes: all classes pooled, and their mean."""
MAX_LINES = 8
"""Largest number of lines that can be told apart in one chart."""
COLUMNS = 100


@dataclass(frozen=True)
class Point:
    """Results of one threshold of a curve; None where undefined; a mean of curves has no counts.

    Where samples have weights, counts are sums of these.
    """

    threshold: float | None
    precision: float | None
    recall: float
    f1: float | None
    fpr: float | None
    tp: float | None = None
    fp: float | None = None


@dataclass(frozen=True, eq=False)
class Curve:
    """One class against the rest, all classes pooled (micro), or the mean of all (macro).

    Attributes:
        area: of each kind of chart: ROC AUC and average precision; None where undefined.
        lines: x and y of each kind, equally long unless this is a mean; None where undefined, for a `reason`.
        prevalence: share of positives, 0 to 1: the precision of a guess.
        exclusive: a sample has one class; else it may have several labels.
        ranked: None for a mean of curves; ``thresholds`` (k,), ``tp`` (k,), ``fp`` (k,) belong to the points of
            both lines, the first threshold being infinite.
        worth: how many independent samples a count of 1 stands for; None where how much a line varies is not known,
            because of `no_worth`.
        members: of a mean the curves that it is one of, and how much these vary `together`, from 0 to 1.
    """

    name: str
    area: dict[CurveKind, float | None]
    lines: dict[CurveKind, tuple[Floats, Floats] | None]
    prevalence: float
    reason: str = ""
    positives: float = 0
    negatives: float = 0
    thresholds: Floats | None = None
    tp: Floats | None = None
    fp: Floats | None = None
    exclusive: bool = True
    worth: float | None = None
    no_worth: str = ""
    members: tuple["Curve", ...] = ()
    together: float = 1.0

    def point(self, kind: CurveKind, place: int) -> Point:
        """Return the operating point at a place along a line."""
        if self.thresholds is None or self.tp is None or self.fp is None:
            line = self.lines[kind]
            assert line is not None
            x, y = float(line[0][place]), float(line[1][place])
            return Point(None, None, y, None, x) if kind == "roc" else Point(None, y, x, None, None)
        tp, fp = self.tp[place].item(), self.fp[place].item()
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
        """Return the place where F1 is highest; 0 on a mean of curves."""
        if self.tp is None or self.fp is None:
            return 0
        return int(np.argmax(2 * self.tp / (self.positives + self.tp + self.fp)))


def curves_of(predictions: Predictions, report: Report, columns: int = COLUMNS) -> list[Curve]:
    """Return the curves of all classes in their order, then those of `MEANS`.

    Args:
        predictions: of a classifier; the scores (n, classes) of each class are sorted once.
        report: of the same predictions; the areas are taken from it.
        columns: lines keep what can be seen on an axis of this many columns.
    """
    exact: list[tuple[RocCurve | None, PrecisionRecallCurve | None]] = []
    curves = []
    for number, facts in enumerate(report.per_class):
        ranked = ranked_counts(
            predictions.scores[:, number], predictions.positive(number), predictions.weights
        )
        area: dict[CurveKind, float | None] = {
            "roc": _number(facts["roc_auc"]),
            "pr": _number(facts["average_precision"]),
        }
        curve, lines = _curve(str(facts["name"]), ranked, area, columns)
        worth, why = worth_of_class(predictions, report, number)
        exclusive = not predictions.has_labels
        curves.append(replace(curve, exclusive=exclusive, worth=worth, no_worth=why))
        exact.append(lines)
    micro_name, macro_name = MEANS
    ranked = _pooled(predictions)
    pooled, _ = _curve(micro_name, ranked, _areas(report, micro_name), columns)
    worth, why = worth_of_pairs(report, pooled.positives, pooled.negatives)
    pooled = replace(pooled, worth=worth, no_worth=why)
    prevalence = sum(curve.prevalence for curve in curves) / len(curves)
    mean = _mean(macro_name, exact, report, columns, prevalence)
    return [*curves, pooled, replace(mean, members=tuple(curves), together=correlation_of_classes(report))]


def _pooled(predictions: Predictions) -> RankedCounts:
    """Rank all pairs of a sample and a class or label."""
    targets, weights = predictions.targets, predictions.weights
    if weights is None and not predictions.has_labels:
        return micro(predictions.scores, targets)
    columns = predictions.scores.shape[1]
    positive = targets == 1 if predictions.has_labels else targets[:, None] == np.arange(columns)
    by = None if weights is None else np.repeat(weights, columns)
    return ranked_counts(predictions.scores.ravel(), positive.ravel(), by)


def _curve(
    name: str, ranked: RankedCounts, area: dict[CurveKind, float | None], columns: int
) -> tuple[Curve, tuple[RocCurve | None, PrecisionRecallCurve | None]]:
    by_fpr, by_recall = roc(ranked), precision_recall(ranked)
    prevalence = ranked.positives / (ranked.positives + ranked.negatives)
    if isinstance(by_recall, Undefined):
        nothing: dict[CurveKind, tuple[Floats, Floats] | None] = {"roc": None, "pr": None}
        return Curve(name, area, nothing, prevalence, by_recall.reason), (None, None)
    kept = thin(by_recall.recall, by_recall.precision, columns)
    reason = by_fpr.reason if isinstance(by_fpr, Undefined) else ""
    roc_curve = None if isinstance(by_fpr, Undefined) else by_fpr
    if roc_curve is not None:
        kept = np.union1d(kept, thin(roc_curve.fpr, roc_curve.tpr, columns))
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
    )
    return curve, (roc_curve, by_recall)


def _mean(
    name: str,
    exact: Sequence[tuple[RocCurve | None, PrecisionRecallCurve | None]],
    report: Report,
    columns: int,
    prevalence: float,
) -> Curve:
    """Return the mean over the classes that have a curve."""
    by_fpr = [roc_curve for roc_curve, _ in exact if roc_curve is not None]
    by_recall = [curve for _, curve in exact if curve is not None]
    lines: dict[CurveKind, tuple[Floats, Floats] | None] = {"roc": None, "pr": None}
    if by_fpr:
        mean_roc = macro_roc(by_fpr, columns + 1)
        lines["roc"] = (mean_roc.fpr, mean_roc.tpr)
    if by_recall:
        mean_pr = macro_precision_recall(by_recall, columns + 1)
        lines["pr"] = (mean_pr.recall, mean_pr.precision)
    reason = "" if by_fpr else "no class has both positives and negatives"
    return Curve(name, _areas(report, name), lines, prevalence, reason)


def _areas(report: Report, mean: str) -> dict[CurveKind, float | None]:
    return {
        "roc": report.metrics.get(f"roc_auc_{mean}"),
        "pr": report.metrics.get(f"average_precision_{mean}"),
    }


def _number(value: str | int | float | None) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


def first_shown(curves: Sequence[Curve], kind: CurveKind, max_lines: int = MAX_LINES) -> list[int]:
    """Return which curves to draw first: of two classes the positive one, else the worst classes and the means."""
    classes = len(curves) - len(MEANS)
    if classes == 2 and curves[0].exclusive:
        return [1] if curves[1].lines[kind] else []
    drawable = [number for number in range(classes) if curves[number].lines[kind]]
    worst = sorted(drawable, key=lambda number: curves[number].area[kind] or 0.0)[: max_lines - len(MEANS)]
    means = [number for number in range(classes, len(curves)) if curves[number].lines[kind]]
    return sorted(worst) + means


def few(curves: Sequence[Curve], kind: CurveKind) -> list[int]:
    """Return at most three of `first_shown`, for a chart without colour."""
    return first_shown(curves, kind, max_lines=3)


def first_chosen(curves: Sequence[Curve], kind: CurveKind) -> int:
    """Return the curve that has the cursor first: the positive one of two classes, else the worst class shown."""
    classes = len(curves) - len(MEANS)
    shown = first_shown(curves, kind)
    return min(shown, key=lambda number: (number >= classes, curves[number].area[kind] or 0.0), default=0)
