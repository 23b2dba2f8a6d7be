"""The operating points of an evaluation for other programs: each threshold of the curves with what follows from it."""

import csv
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.evaluation.curve_sets import Curve, Point, curves_of
from core.inference.prediction_files import writing
from core.inference.stored import Evaluation

__all__ = ["operating_points", "write_operating_points"]

MAX_CURVES = 20
"""Curves of classes that are written; of more classes only the pooled one."""
FIELDS = ("threshold", "precision", "recall", "f1", "fpr", "tp", "fp")
LIFTED = (*FIELDS, "specificity", "share", "lift")
"""Those of a point, with the share of the samples that it flags and how much more positives these have than all."""


def operating_points(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Return the points of the ROC and precision-recall curves as plain values, thresholds descending.

    Scores of at least ``threshold`` count as the class of ``curve``; the first threshold, above all scores, is None.
    Between two of them nothing is lost that an axis of 100 columns would show.
    """
    return list(_points(evaluation))


def _points(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    report = evaluation.report
    curves = curves_of(evaluation.predictions, report)
    if len(report.class_names) > MAX_CURVES:
        curves = curves[len(report.class_names) :]
    for curve in curves:
        line = curve.lines["roc"] or curve.lines["pr"]
        if curve.thresholds is None or line is None:
            continue
        for place in range(len(line[0])):
            point = curve.point("roc", place)
            values = {field: getattr(point, field) for field in FIELDS}
            if values["threshold"] is not None and not math.isfinite(values["threshold"]):
                values["threshold"] = None
            yield {"curve": curve.name, **values, **_lifted(curve, point)}


def _lifted(curve: Curve, point: Point) -> dict[str, float | None]:
    flagged, samples = (point.tp or 0) + (point.fp or 0), curve.positives + curve.negatives
    return {
        "specificity": None if point.fpr is None else 1 - point.fpr,
        "share": flagged / samples,
        "lift": None if point.precision is None else point.precision * samples / curve.positives,
    }


def write_operating_points(evaluation: Evaluation, path: Path) -> Path:
    """Write the points beside a file of predictions, as ``NAME.thresholds.csv``; return where.

    Raises:
        InputError: the file cannot be written.
    """
    beside = path.with_suffix(".thresholds.csv")
    with writing(beside) as file:
        writer = csv.DictWriter(file, ("curve", *LIFTED), lineterminator="\n")
        writer.writeheader()
        writer.writerows(operating_points(evaluation))
    return beside
