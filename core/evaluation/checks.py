"""Checks that must hold before metrics mean anything."""

import numpy as np

from core.errors import DataError
from core.evaluation.classification import row_blocks
from core.evaluation.predictions import Predictions
from core.evaluation.values import Array


def check_classes(predictions: Predictions, task: str, classes: int, split: str, exactly: int = 0) -> None:
    """Refuse predictions of classes that cannot be evaluated.

    Args:
        task, split: their names, for messages.
        exactly: so many classes the task has; 0 for any number.

    Raises:
        DataError: there are no samples; scores or targets are NaN or infinite; the arrays do not fit
            the number of classes.
    """
    _check_shape(predictions, 2, task, split)
    columns = predictions.scores.shape[1]
    if columns != classes or classes < 2 or exactly not in (0, classes):
        raise DataError(f"scores of {columns} classes do not fit a {task} task with {classes} class names")
    lowest, highest = int(predictions.targets.min()), int(predictions.targets.max())
    if lowest < 0 or highest >= classes:
        raise DataError(f"targets go from {lowest} to {highest}, but the classes are 0 to {classes - 1}")
    check_finite(predictions, split)


def check_labels(predictions: Predictions, task: str, labels: int, split: str) -> None:
    """Refuse predictions of several labels that cannot be evaluated.

    Raises:
        DataError: there are no samples; scores are NaN or infinite; targets are others than zeros and ones; the arrays
            do not fit the number of labels.
    """
    _check_shape(predictions, 2, task, split)
    columns = predictions.scores.shape[1]
    if columns != labels or not predictions.has_labels:
        raise DataError(f"scores of {columns} labels do not fit a {task} task with {labels} names of labels")
    if predictions.targets.max(initial=0) > 1:
        raise DataError(f"targets of labels go up to {int(predictions.targets.max())}", "Give zeros and ones")
    check_finite(predictions, split)


def check_numbers(predictions: Predictions, task: str, split: str) -> None:
    """Refuse predicted numbers that cannot be evaluated.

    Raises:
        DataError: there are no samples, their shape is another one, or some are NaN or infinite.
    """
    _check_shape(predictions, predictions.targets.ndim, task, split)
    check_finite(predictions, split)


def _check_shape(predictions: Predictions, dimensions: int, task: str, split: str) -> None:
    if predictions.scores.ndim != dimensions:
        raise DataError(f"scores of shape {predictions.scores.shape} do not fit a {task} task")
    if not len(predictions):
        raise DataError(f"the {split} split has no samples to evaluate", "Give it a share of the data")


def check_finite(predictions: Predictions, split: str) -> None:
    """Refuse scores and targets that are NaN or infinite.

    Raises:
        DataError: some are.
    """
    for what in ("scores", "targets"):
        bad = _rows_not_finite(getattr(predictions, what))
        if bad:
            raise DataError(
                f"{bad:,} of {len(predictions):,} rows of the {split} {what} hold NaN or infinite values",
                "The model may have diverged: try a lower learning rate",
            )


def why_not_probabilities(predictions: Predictions) -> str | None:
    """Return why the scores are not probabilities, or None if they are.

    Rows may miss one by the square root of the machine epsilon of float32, as in scikit-learn, also where numbers that
    were computed as such are kept with more digits.
    """
    if not predictions.probabilities:
        return "the scores are margins, not probabilities"
    scores = predictions.scores
    if predictions.has_labels:  # each by itself
        inside = scores.min(initial=0.0) >= 0 and scores.max(initial=0.0) <= 1
        return None if inside else "scores below 0 or above 1 are not probabilities"
    tolerance = np.sqrt(np.finfo(np.float32).eps)
    wrong = 0
    for rows in row_blocks(len(scores)):
        block = scores[rows]
        if block.min() < 0 or block.max() > 1:
            return "scores below 0 or above 1 are not probabilities"
        wrong += int(np.count_nonzero(np.abs(block.sum(axis=1, dtype=np.float64) - 1) > tolerance))
    return f"{wrong:,} of {len(scores):,} rows of scores do not sum to one" if wrong else None


def _rows_not_finite(values: Array) -> int:
    bad = 0
    for rows in row_blocks(len(values)):
        finite = np.isfinite(values[rows])
        if not finite.all():
            bad += int(np.count_nonzero(~finite.reshape(len(finite), -1).all(axis=1)))
    return bad
