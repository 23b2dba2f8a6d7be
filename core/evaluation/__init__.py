"""Predict a split once; everything else is functions on arrays (numpy only, no torch)."""

from core.evaluation.calibration import Calibration, calibration_curve, expected_calibration_error
from core.evaluation.classification import ClassCounts, confusion_matrix, normalise
from core.evaluation.curves import (
    PrecisionRecallCurve,
    RankedCounts,
    RocCurve,
    average_precision,
    macro_precision_recall,
    macro_roc,
    micro,
    one_vs_rest,
    precision_recall,
    roc,
    roc_auc,
    thin,
)
from core.evaluation.mistakes import ConfusedPair, most_confident_mistakes, most_confused, samples_in_cell
from core.evaluation.predictions import Predictions
from core.evaluation.regression import error_quantiles, residuals
from core.evaluation.report import Report
from core.evaluation.thresholds import (
    OperatingPoint,
    best_f1_threshold,
    threshold_for_precision,
    threshold_for_recall,
    threshold_table,
)
from core.evaluation.values import Undefined, Value

__all__ = [
    "Calibration",
    "ClassCounts",
    "ConfusedPair",
    "OperatingPoint",
    "PrecisionRecallCurve",
    "Predictions",
    "RankedCounts",
    "Report",
    "RocCurve",
    "Undefined",
    "Value",
    "average_precision",
    "best_f1_threshold",
    "calibration_curve",
    "confusion_matrix",
    "error_quantiles",
    "expected_calibration_error",
    "macro_precision_recall",
    "macro_roc",
    "micro",
    "most_confident_mistakes",
    "most_confused",
    "normalise",
    "one_vs_rest",
    "precision_recall",
    "residuals",
    "roc",
    "roc_auc",
    "samples_in_cell",
    "thin",
    "threshold_for_precision",
    "threshold_for_recall",
    "threshold_table",
]
