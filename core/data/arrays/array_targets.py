"""Targets of an array: classes, or numbers to predict."""

from typing import Any

import numpy as np

from core.counting import counted
from core.data.arrays.sample_shapes import shape_text
from core.data.label_cells import find_separator
from core.data.several_targets import as_labels, kind_of_several
from core.data.targets import (
    LABELS,
    NUMBERS,
    SHARES,
    AskedTask,
    are_classes,
    as_numbers,
    in_class_order,
    is_numbered,
)
from core.errors import DataError

__all__ = [
    "answers_of",
    "are_labels",
    "are_soft",
    "check_varied",
    "classes_in",
    "label_names",
    "several_names",
    "soft_labels",
    "targets_of",
    "without_ignored",
]

MAX_CLASSES = 10_000
IGNORED = -100
"""Class that PyTorch's cross-entropy leaves out."""
MAX_MISS = 1e-3
"""Largest distance from 1 of a sum of shares, which may have been rounded."""


def answers_of(
    array: np.ndarray,
    task: AskedTask,
    name: str,
    place: str,
    notes: list[str],
    columns: tuple[str, ...] = (),
) -> np.ndarray:
    """Return targets (n,): floats to predict, or classes as numbers or texts of any other type.

    Of several targets they are float64 (n, k) numbers, labels uint8 (n, k), or soft labels float32 (n, classes).

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
    if array.ndim == 2 and task not in (NUMBERS, SHARES) and array.dtype.kind in "fiub":
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
    if task == SHARES or (task == "auto" and array.ndim == 2 and _are_shares(array)):
        return soft_labels(array, task, place, notes)
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
    return _one_each(array, task, name, place, notes)


def _one_each(array: np.ndarray, task: AskedTask, name: str, place: str, notes: list[str]) -> np.ndarray:
    """Return targets (n,) of one a sample; see `answers_of`."""
    if array.dtype.kind not in "fiubUS":
        raise DataError(f"{place} is of type {array.dtype}", "Give numbers or texts")
    _check_finite(array, place)
    if task == "auto" and array.dtype.kind == "f" and len(array) and are_classes(array):
        task = "classification"
        notes.append(
            f"targets: classes, by the few whole numbers in {name}; data.task=regression predicts them as numbers"
        )
    if task == "auto" and array.dtype.kind in "US":
        _refuse_joined(array, name, place)
    if task == "auto" and array.dtype.kind in "iu" and _marks_unknown(array):
        notes.append(
            "targets: -1 is a class like the others; if it marks unknown ones, data.ignore_index=-1 leaves them out"
        )
    if task == NUMBERS or (task == "auto" and array.dtype.kind == "f"):
        if array.dtype.kind in "US":
            raise DataError(f"{place} holds texts, which are not numbers", "Set data.task to classification")
        return array.astype(np.float64)
    if array.dtype.kind == "f" and (array == array.round()).all():
        return array.astype(np.int64)
    return np.array([_class_name(value) for value in array]) if array.dtype.kind in "fS" else array


def check_varied(answers: np.ndarray, place: str) -> None:
    """Check that numbers to predict, (n,), are not all the same.

    Raises:
        DataError: they are.
    """
    if answers.ndim == 1 and answers.dtype.kind == "f" and (answers == answers[:1]).all():
        raise DataError(
            f"{place}: the targets are all {answers[0]:g}: there is nothing to learn", "Give other targets"
        )


def _refuse_joined(texts: np.ndarray, name: str, place: str) -> None:
    """Refuse texts that hold several labels each: they would be classes of their own.

    Raises:
        DataError: they do.
    """
    cells = [_class_name(value) for value in texts]
    separator = find_separator(cells, name)
    if separator is None:
        return
    several = next(cell for cell in cells if separator in cell)
    raise DataError(
        f"{place}: texts such as '{several}' hold several labels, separated by {separator}",
        "Give zeros and ones, a column for each label, or set data.task to classification",
    )


def _marks_unknown(classes: np.ndarray) -> bool:
    """Return whether -1 stands among classes that count from 0."""
    found = np.unique(classes)
    return len(found) > 2 and np.array_equal(found, np.arange(-1, len(found) - 1))


def several_names(given: tuple[str, ...], targets: int) -> tuple[str, ...]:
    """Return names of several numbers to predict, those that are known or else their places."""
    return given if len(given) == targets else tuple(f"target {place + 1}" for place in range(targets))


def _check_finite(array: np.ndarray, place: str) -> None:
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        bad = np.flatnonzero(~np.isfinite(array).reshape(len(array), -1).all(axis=1))
        raise DataError(
            f"{place} is NaN or infinite for {counted(len(bad), 'sample')}, first for sample {bad[0]}",
            "Leave these out",
        )


def _are_shares(array: np.ndarray) -> bool:
    """Return whether each row (n, classes) has numbers of 0 or more whose sum is 1, up to their rounding."""
    if array.dtype.kind != "f" or array.shape[1] < 2 or not len(array):
        return False
    return bool((array >= 0).all() and (np.abs(array.sum(axis=1, dtype=np.float64) - 1) < MAX_MISS).all())


def soft_labels(array: np.ndarray, task: AskedTask, place: str, notes: list[str]) -> np.ndarray:
    """Return shares of the classes, float32 (n, classes), whose sum is 1.

    Raises:
        DataError: they are something else.
    """
    if array.ndim != 2 or array.shape[1] < 2 or array.dtype.kind not in "fiub":
        raise DataError(
            f"{place} has the shape {shape_text(array)}, and soft labels are wanted",
            "Give the share of each class, a column for each",
        )
    _check_finite(array, place)
    shares = array.astype(np.float64)
    sums = shares.sum(axis=1)
    wrong = (shares < 0).any(axis=1) | (np.abs(sums - 1) >= MAX_MISS)
    if wrong.any():
        first = int(np.argmax(wrong))
        raise DataError(
            f"{place}: the shares of the classes are {', '.join(f'{value:.4g}' for value in shares[first][:4])} ... of "
            f"sample {first}, and their sum is {sums[first]:.4g}",
            "Give shares of 0 or more whose sum is 1, or set data.task to regression to predict them as numbers",
        )
    if task == "auto":
        notes.append(
            f"targets: soft labels of {array.shape[1]} classes, as each row sums to 1; data.task=regression predicts "
            "them as numbers"
        )
    whole: np.ndarray = (shares / sums[:, None]).astype(np.float32)
    return whole


def are_soft(answers: np.ndarray) -> bool:
    """Return whether answers are soft labels, the share of each class."""
    return answers.ndim == 2 and answers.dtype == np.float32


def without_ignored(
    answers: np.ndarray, ignored: int, place: str, notes: list[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Return positions of the samples whose class is not the one to ignore, and the classes of these.

    Args:
        notes: takes a line where some are left out.

    Raises:
        DataError: none is left.
    """
    everything = np.arange(len(answers))
    if answers.ndim != 1 or answers.dtype.kind not in "iu":
        return everything, answers
    kept = everything[answers != ignored]
    if len(kept) == len(answers):
        return everything, answers
    if not len(kept):
        raise DataError(
            f"{place} is {ignored} for all samples, which data.ignore_index leaves out", "Set another one"
        )
    notes.append(
        f"left out {counted(len(answers) - len(kept), 'sample')} whose class is {ignored}, which data.ignore_index sets"
    )
    return kept, answers[kept]


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
            f"{place} is {IGNORED} for {counted(count, 'sample')}, which marks what a loss shall "
            "ignore and is not a class",
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

    Several labels (n, labels) and soft labels stay as they are.

    Raises:
        DataError: there is a class that is not among `keys`.
    """
    if are_labels(answers) or are_soft(answers):
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
