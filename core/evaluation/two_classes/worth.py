"""How many independent samples a sample is worth, where samples depend on each other: for bands around curves.

It is the design effect (Kish, "Survey Sampling", 1965) of ROC AUC: how much narrower its interval would be were all
samples independent, squared. Intervals of AUC are known for groups of samples, and for pairs of sample and class.
"""

import numpy as np

from core.evaluation.intervals import Interval
from core.evaluation.intervals.areas import area_intervals
from core.evaluation.intervals.jackknife import blocks_of
from core.evaluation.predictions import Predictions
from core.evaluation.report import Report
from core.evaluation.weighted import effective_size

__all__ = ["correlation_of_classes", "worth_of_class", "worth_of_pairs"]

UNKNOWN = "how much the area below it varies is not known"


def worth_of_class(predictions: Predictions, report: Report, number: int) -> tuple[float | None, str]:
    """Return how many independent samples a count of a class's curve stands for, or None and why."""
    weights = predictions.weights
    if blocks_of(predictions.groups) is None:
        return (1.0 if weights is None else effective_size(weights) / float(weights.sum())), ""
    ends = report.class_intervals[number].get("roc_auc") if report.class_intervals else None
    positives = int(predictions.positive(number).sum())
    why = report.no_interval.get("roc_auc_macro", UNKNOWN)
    return _worth(report.per_class[number]["roc_auc"], ends, positives, len(predictions) - positives, why)


def worth_of_pairs(report: Report, positives: float, negatives: float) -> tuple[float | None, str]:
    """Return how many independent pairs of sample and class a pair of them stands for, or None and why."""
    name = "roc_auc_micro"
    why = report.no_interval.get(name, UNKNOWN)
    return _worth(report.metrics.get(name), report.intervals.get(name), positives, negatives, why)


def _worth(
    area: str | float | None, ends: Interval | None, positives: float, negatives: float, why: str
) -> tuple[float | None, str]:
    if ends is None or not isinstance(area, int | float) or ends[0] == ends[1]:
        return None, why
    low, high = area_intervals(np.array(area), np.array(positives), np.array(negatives))
    return min(1.0, float((high - low) / (ends[1] - ends[0])) ** 2), ""


def correlation_of_classes(report: Report) -> float:
    """Return how much the curves of classes or labels vary together: as much as their AUCs do; 1 if not known.

    The variance of a mean of k with standard deviations s is ((1 - r) sum s^2 + r (sum s)^2) / k^2.
    """
    ends = [row["roc_auc"] for row in report.class_intervals if "roc_auc" in row]
    mean = report.intervals.get("roc_auc_macro")
    if mean is None or len(ends) < 2 or len(ends) < len(report.class_names):
        return 1.0
    widths = np.diff(ends, axis=1)[:, 0]
    apart, joint = float(widths @ widths), float(widths.sum() ** 2)
    if joint <= apart:
        return 1.0
    wanted = (len(ends) * (mean[1] - mean[0])) ** 2
    return float(np.clip((wanted - apart) / (joint - apart), 0.0, 1.0))
