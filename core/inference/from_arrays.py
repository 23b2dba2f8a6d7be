"""Predictions that a script hands over, as whatever arrays it has."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.arrays import as_array
from core.errors import DataError
from core.evaluation.predictions import Predictions
from core.evaluation.report import Report
from core.evaluation.values import Array
from core.tasks.evaluation import evaluate
from core.tasks.multilabel import Multilabel
from core.tasks.registry import find_task, task_for

__all__ = ["evaluate_given", "guessed_task"]

TAKEN = "Give numbers: an array, a tensor or a list"


def evaluate_given(
    scores: Any, targets: Any, class_names: Sequence[str], split: str, task: str = ""
) -> tuple[Predictions, Report]:
    """The predictions and their report.

    Args:
        scores: arrays, tensors or lists: (n, classes), probabilities where each row sums to 1, else margins; (n,) or
            (n, 1) of two classes: the probability of the second one, or its margin above 0; (n,) numbers for
            regression.
        targets: (n,) class numbers, or numbers; of several labels (n, labels) zeros and ones beside scores like them.
        class_names: by default the numbers.
        task: ``binary``, ``multiclass``, ``multilabel`` or ``regression``; by default what the arrays are like.

    Raises:
        DataError: these are no arrays of numbers, do not fit together or hold NaN.
    """
    values, wanted = _numbers("scores", scores), _numbers("targets", targets)
    rounded = _rounding(values)
    if values.dtype not in (np.float32, np.float64):
        values = values.astype(np.float64)
    indices = np.arange(len(wanted), dtype=np.int64)
    if _has_labels(values, wanted, task):
        return _of_labels(values, wanted, class_names, split)
    if _is_one_column(values, class_names, task):
        values = _two_columns(values.reshape(-1))
    if values.ndim != 2:
        asked = find_task(task)
        if asked is not None and asked.targets == "classes":
            raise DataError(f"scores of shape {values.shape} do not fit a {task} task", "Give (n, classes)")
        if asked is None and len(class_names) > 2:
            raise DataError(
                f"scores of shape {values.shape} do not fit {len(class_names)} class names",
                "Give (n, classes)",
            )
        numbers = Predictions(values, wanted.astype(np.float64), indices, False)
        return numbers, evaluate(numbers, task=task_for(0), class_names=(), split=split)
    if wanted.dtype.kind not in "iub":
        raise DataError(f"targets are of type {wanted.dtype}", "Give class numbers, such as int64")
    totals = values.sum(axis=1, dtype=np.float64)
    sums = bool((np.abs(totals - 1) <= rounded).all() and (values >= 0).all())
    if sums:
        values = (values / totals[:, None]).astype(values.dtype)
    classes = Predictions(values, wanted.astype(np.int64), indices, sums)
    names = list(class_names) or [str(number) for number in range(values.shape[1])]
    found = task_for(values.shape[1])
    return classes, evaluate(classes, task=found, class_names=names, split=split)


def guessed_task(scores: Any, targets: Any) -> tuple[str, str]:
    """Return the task of one score a sample beside targets of zeros and ones, and the guess in words; else empty.

    Scores between 0 and 1 are taken for probabilities of the second of two classes, others for numbers.

    Raises:
        DataError: these are no arrays of numbers.
    """
    values, wanted = _numbers("scores", scores), _numbers("targets", targets)
    if values.size != wanted.size or wanted.dtype.kind not in "iub" or set(np.unique(wanted)) != {0, 1}:
        return "", ""
    two, numbers = task_for(2), task_for(0)
    if ((values >= 0) & (values <= 1)).all():
        told = f"scores between them: evaluated as two classes; task='{numbers}' makes them numbers"
        return two, f"targets of 0 and 1, {told}"
    told = f"scores beyond them: evaluated as numbers; task='{two}' makes them two classes"
    return numbers, f"targets of 0 and 1, {told}"


def _has_labels(values: Array, wanted: Array, task: str) -> bool:
    """Return whether the arrays are of several labels a sample."""
    asked = find_task(task)
    if asked is None:
        return wanted.ndim == 2 and wanted.dtype.kind in "iub" and values.shape == wanted.shape
    if asked.several_labels and (wanted.ndim != 2 or values.shape != wanted.shape):
        raise DataError(
            f"scores of shape {values.shape} and targets of shape {wanted.shape} do not fit a {task} task",
            "Give both as (n, labels)",
        )
    return asked.several_labels


def _of_labels(
    values: Array, wanted: Array, class_names: Sequence[str], split: str
) -> tuple[Predictions, Report]:
    if not np.isin(wanted, (0, 1)).all():
        raise DataError("targets of several labels are others than 0 and 1", "Give zeros and ones")
    probabilities = bool(((values >= 0) & (values <= 1)).all())
    indices = np.arange(len(wanted), dtype=np.int64)
    found = Predictions(values, wanted.astype(np.uint8), indices, probabilities)
    names = list(class_names) or [str(number) for number in range(values.shape[1])]
    return found, evaluate(found, task=Multilabel.name, class_names=names, split=split)


def _rounding(values: Array) -> float:
    """Return by how much the sum of probabilities may miss 1: more for half precision; at least that of float32.

    Lists and tensors of float64 may hold what was computed as float32.
    """
    coarse = values.dtype == np.float16 or (values.dtype.kind == "f" and _is_bfloat16(values))
    return 0.02 if coarse else 1e-3


def _is_bfloat16(values: Array) -> bool:
    """Return whether all numbers have the few digits of bfloat16, which NumPy only knows as float32."""
    return values.dtype == np.float32 and not (np.ascontiguousarray(values).view(np.uint32) & 0xFFFF).any()


def _is_one_column(values: Array, class_names: Sequence[str], task: str) -> bool:
    """Return whether scores are those of the second of two classes."""
    two = task == task_for(2) or (not task and len(class_names) == 2)
    return two and (values.ndim == 1 or values.shape[1:] == (1,))


def _two_columns(second: Array) -> Array:
    """Return scores (n, 2) from probabilities of the second class, or from its margins (n,)."""
    if ((second >= 0) & (second <= 1)).all():
        return np.stack([1 - second, second], axis=1)
    return np.stack([-second, second], axis=1)


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
