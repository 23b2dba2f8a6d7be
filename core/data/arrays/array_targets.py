"""Targets of an array: classes, or numbers to predict."""

from typing import Any

import numpy as np

from core.data.arrays.sample_shapes import shape_text
from core.data.several_targets import as_labels, kind_of_several
from core.data.targets import (
    LABELS,
    NUMBERS,
    AskedTask,
    are_classes,
    as_numbers,
    in_class_order,
    is_numbered,
)
from core.errors import DataError

__all__ = ["answers_of", "are_labels", "classes_in", "label_names", "several_names", "targets_of"]

MAX_CLASSES = 10_000
IGNORED = -100
"""Target that PyTorch's cross-entropy leaves out."""


def answers_of(
    array: np.ndarray,
    task: AskedTask,
    name: str,
    place: str,
    notes: list[str],
    columns: tuple[str, ...] = (),
) -> np.ndarray:
    """Return targets (n,): floats to predict, or classes as numbers or texts of any other type.

    Of several targets they are float64 (n, k) numbers, or labels uint8 (n, k).

    Args:
        name: of the array.
        place: where it stands, for messages.
        notes: takes a line where floats or one-hot codes were taken for classes, and several columns for labels.
        columns: names of several targets, where they are known.

    Raises:
        DataError: there is not one class or number a sample, or labels.
    """
    if array.ndim > 1 and array.size == len(array):
        array = array.reshape(len(array))
    if array.ndim == 2 and task != NUMBERS and array.dtype.kind in "fiub":
        if task != LABELS and _is_one_hot(array):
            notes.append(
                f"targets: classes, by the one-hot code of {array.shape[1]} columns in {name}; data.task=multilabel "
                "takes them for labels"
            )
            array = np.asarray(array.argmax(axis=1))
        elif task == LABELS or np.isin(array, (0, 1)).all():
            names = columns if len(columns) == array.shape[1] else label_names(array.shape[1])
            kind_of_several(array, names, task, place, notes)
            return as_labels(array)
    if array.ndim == 2 and array.dtype.kind in "fiub" and task in ("auto", NUMBERS) and array.shape[1] > 1:
        _check_finite(array, place)
        kind_of_several(array, several_names(columns, array.shape[1]), task, place, notes)
        return array.astype(np.float64)
    if task == LABELS:
        raise DataError(
            f"{place} has the shape {shape_text(array)}, and several labels are wanted",
            "Give zeros and ones, a column for each label",
        )
    if array.ndim != 1:
        raise DataError(
            f"{place} has the shape {shape_text(array)}",
            "Give one class or one number per sample, such as one of its columns",
        )
    if array.dtype.kind not in "fiubUS":
        raise DataError(f"{place} is of type {array.dtype}", "Give numbers or texts")
    _check_finite(array, place)
    if task == "auto" and array.dtype.kind == "f" and len(array) and are_classes(array):
        task = "classification"
        notes.append(
            f"targets: classes, by the few whole numbers in {name}; data.task=regression predicts them as numbers"
        )
    if task == NUMBERS or (task == "auto" and array.dtype.kind == "f"):
        if array.dtype.kind in "US":
            raise DataError(f"{place} holds texts, which are not numbers", "Set data.task to classification")
        return array.astype(np.float64)
    if array.dtype.kind == "f" and (array == array.round()).all():
        return array.astype(np.int64)
    return np.array([_class_name(value) for value in array]) if array.dtype.kind in "fS" else array


def several_names(given: tuple[str, ...], targets: int) -> tuple[str, ...]:
    """Return names of several numbers to predict, those that are known or else their places."""
    return given if len(given) == targets else tuple(f"target {place + 1}" for place in range(targets))


def _check_finite(array: np.ndarray, place: str) -> None:
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        bad = np.flatnonzero(~np.isfinite(array).reshape(len(array), -1).all(axis=1))
        raise DataError(
            f"{place} is NaN or infinite for {len(bad):,} samples, first for sample {bad[0]}",
            "Leave these out",
        )


def are_labels(answers: np.ndarray) -> bool:
    """Return whether answers are several labels a sample."""
    return answers.ndim == 2 and answers.dtype == np.uint8


def label_names(labels: int) -> tuple[str, ...]:
    """Return names of labels that have none."""
    return tuple(f"label_{place}" for place in range(labels))


def _is_one_hot(array: np.ndarray) -> bool:
    """Return whether each row (n, classes) has a single 1 among zeros."""
    return bool(np.isin(array, (0, 1)).all() and (array.sum(axis=1) == 1).all())


def classes_in(answers: np.ndarray, task: AskedTask, place: str) -> tuple[str, ...]:
    """Return the names of all classes: numbers, also as texts, in numerical order, other texts in alphabetical order.

    Raises:
        DataError: there are fewer than two, or the values are more likely quantities.
    """
    values = np.unique(answers)
    if answers.dtype.kind in "iu" and IGNORED in values and (values[values != IGNORED] >= 0).all():
        count = int((answers == IGNORED).sum())
        raise DataError(
            f"{place} is {IGNORED} for {count:,} samples, which marks what a loss shall ignore and is not a class",
            "Leave these samples out",
        )
    names = tuple(_class_name(value) for value in values)
    if answers.dtype.kind in "US":
        names = tuple(in_class_order(names))
    if len(names) < 2:
        only = f"are all {names[0]}" if names else "are empty"
        raise DataError(
            f"{place}: the targets {only}: there is nothing to classify", "Give two classes or more"
        )
    if len(names) > MAX_CLASSES or (len(names) > 2 and 2 * len(names) > len(answers)):
        raise DataError(
            f"{place} holds {len(names):,} different values in {len(answers):,} samples, too many for classes",
            "Set data.task to regression",
        )
    if task == "auto" and answers.dtype.kind in "iu" and not (are_classes(answers) or is_numbered(answers)):
        raise DataError(
            f"{place} holds {len(names):,} different whole numbers from {names[0]} to {names[-1]}, "
            "which may be classes or quantities",
            "Set data.task to regression to predict them as numbers, or to classification",
        )
    return names


def targets_of(answers: np.ndarray, keys: tuple[str, ...], place: str) -> np.ndarray:
    """Return numbers (n, k), float32 unless that loses digits, or the place of each class among `keys`, (n,) int64.

    Several labels (n, labels) stay as they are.

    Raises:
        DataError: there is a class that is not among `keys`.
    """
    if are_labels(answers):
        return answers
    if not keys:
        return as_numbers(answers)
    values, numbers = np.unique(answers, return_inverse=True)
    names = [_class_name(value) for value in values]
    places = {key: place for place, key in enumerate(keys)}
    new = [name for name in names if name not in places]
    if new:
        raise DataError(
            f"{place} has the class {new[0]}", f"Known are {len(keys)}, from {keys[0]} to {keys[-1]}"
        )
    return np.array([places[name] for name in names], dtype=np.int64)[numbers]


def _class_name(value: Any) -> str:
    return value.decode(errors="backslashreplace") if isinstance(value, bytes) else str(value)
