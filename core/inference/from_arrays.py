"""Predictions that a script hands over, as whatever arrays it has."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.arrays import as_array
from core.errors import DataError
from core.evaluation.predictions import Predictions
from core.evaluation.report import Report
from core.evaluation.summary import evaluate
from core.evaluation.values import Array
from core.metrics import Task

__all__ = ["evaluate_given"]

TAKEN = "Give numbers: an array, a tensor or a list"


def evaluate_given(
    scores: Any, targets: Any, class_names: Sequence[str], split: str
) -> tuple[Predictions, Report]:
    """The predictions and their report.

    Args:
        scores: arrays, tensors or lists: (n, classes), probabilities where each row sums to 1, else margins; (n,)
            numbers for regression.
        targets: (n,) class numbers, or numbers.
        class_names: by default the numbers.

    Raises:
        DataError: these are no arrays of numbers, do not fit together or hold NaN.
    """
    values, wanted = _numbers("scores", scores), _numbers("targets", targets)
    if values.dtype not in (np.float32, np.float64):
        values = values.astype(np.float64)
    indices = np.arange(len(wanted), dtype=np.int64)
    if values.ndim != 2:
        numbers = Predictions(values, wanted.astype(np.float64), indices, False)
        return numbers, evaluate(numbers, task="regression", class_names=(), split=split)
    if wanted.dtype.kind not in "iu":
        raise DataError(f"targets are of type {wanted.dtype}", "Give class numbers, such as int64")
    sums = bool(np.allclose(values.sum(axis=1), 1.0, atol=1e-4) and (values >= 0).all())
    classes = Predictions(values, wanted.astype(np.int64), indices, sums)
    names = list(class_names) or [str(number) for number in range(values.shape[1])]
    task: Task = "binary" if values.shape[1] == 2 else "multiclass"
    return classes, evaluate(classes, task=task, class_names=names, split=split)


def _numbers(name: str, values: Any) -> Array:
    try:
        array = as_array(values)
    except Exception as error:  # any object can be asked for an array, and can fail
        raise DataError(
            f"{name}: got {type(values).__name__}, which is not an array: {error}", TAKEN
        ) from None
    if array.dtype.kind not in "biuf":
        raise DataError(f"{name}: got {type(values).__name__} of type {array.dtype}", TAKEN)
    return array
