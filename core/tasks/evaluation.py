"""All numbers of one model on one split."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from core.errors import DataError
from core.tasks.registry import TASKS, find_task

if TYPE_CHECKING:
    from core.evaluation.predictions import Predictions
    from core.evaluation.report import Report

__all__ = ["evaluate"]

LARGE = 1e100
"""Weights above it, or below its inverse, are brought into range: sums of their squares would not be numbers."""


def evaluate(
    predictions: "Predictions",
    *,
    task: str,
    class_names: Sequence[str],
    split: str,
    seed: int = 0,
    intervals: bool = True,
) -> "Report":
    """Return every metric of some predictions, with the reason where one is undefined, a baseline and intervals.

    A macro mean is undefined where scikit-learn warns about a class or refuses: ``precision_macro`` if a
    class is never predicted, ``recall_macro`` if a class without samples is predicted, ROC AUC and average
    precision if a class has no samples. All other values are those of scikit-learn with default arguments.

    Args:
        predictions: scores and targets of all samples of the split.
        task: what the targets are. With two classes, class 1 is the positive one.
        class_names: the name of each class number; empty for regression.
        split: name of the split, used in the report and in reasons.
        seed: of the bootstrap.
        intervals: whether to compute the 95 % bootstrap intervals.

    Raises:
        DataError: there are no samples, scores or targets are NaN or infinite, or the arrays do not fit
            the task and the class names.
    """
    found = find_task(task)
    if found is None or found.own_step:
        known = ", ".join(name for name, each in TASKS.items() if not each.own_step)
        raise DataError(f"the task {task!r} cannot be evaluated", f"Tasks are {known}")
    predictions = _with_weights_in_range(predictions)
    report = found.evaluate(predictions, class_names=class_names, split=split, seed=seed, intervals=intervals)
    if not intervals or predictions.groups is None:
        return report
    from core.evaluation.intervals.clustered import clustered

    def without(some: "Predictions") -> "Report":
        return found.evaluate(some, class_names=class_names, split=split, seed=seed, intervals=False)

    return clustered(report, predictions, without)


def _with_weights_in_range(predictions: "Predictions") -> "Predictions":
    """Return predictions whose weights can be squared; metrics do not depend on the unit of weights."""
    weights = predictions.weights
    if weights is None or not len(weights) or 1 / LARGE < weights.max() < LARGE:
        return predictions
    return replace(predictions, weights=weights / weights.max())
