"""Targets: classes or numbers to predict, inferred from their values."""

from collections.abc import Iterable, Sequence
from typing import Final, Literal

import numpy as np

from core.errors import DataError

__all__ = [
    "LABELS",
    "LOST",
    "MAX_NUMBERED_CLASSES",
    "NUMBERS",
    "AskedTask",
    "are_classes",
    "as_numbers",
    "class_or_number",
    "in_class_order",
    "is_numbered",
]

AskedTask = Literal["auto", "classification", "multilabel", "regression", "soft"]
"""Setting ``data.task``: how targets are read."""
NUMBERS: Final[AskedTask] = "regression"
LABELS: Final[AskedTask] = "multilabel"
SHARES: Final[AskedTask] = "soft"
"""Soft labels: the share of each class."""
MAX_NUMBERED_CLASSES = 20
"""Different whole numbers that are classes without being asked for; more may be quantities."""
LOST = 1e-6
"""Part of a deviation that float32 may lose of numbers."""
MIN_FILLED = 0.8
"""Part of the numbers from the first to the last that must be there for them to count classes."""


def are_classes(values: np.ndarray) -> bool:
    """Return whether finite numbers (n,) are few different whole ones that come back, which are taken for classes."""
    if not (values % 1 == 0).all():
        return False
    different = len(np.unique(values))
    return different <= MAX_NUMBERED_CLASSES and 2 * different <= len(values)


def as_numbers(values: np.ndarray) -> np.ndarray:
    """Return numbers (n,) or (n, k) as targets, (n, 1) or (n, k): float32, or float64 where that would lose digits.

    These are digits that tell some numbers of a target apart.
    """
    exact = (values[:, None] if values.ndim == 1 else values).astype(np.float64)
    short = exact.astype(np.float32)
    lost = np.abs(exact - short).max(axis=0) if len(exact) else np.zeros(exact.shape[1])
    allowed = LOST * (exact.std(axis=0) if len(exact) > 1 else np.ones(exact.shape[1]))
    return np.ascontiguousarray(exact if (lost > allowed).any() else short)


def is_numbered(values: np.ndarray) -> bool:
    """Return whether whole numbers (n,) count classes from 0 or 1 with few gaps, each of which comes back."""
    found = np.unique(values)
    span = int(found[-1]) - int(found[0]) + 1
    return bool(found[0] in (0, 1) and len(found) >= MIN_FILLED * span and 2 * len(found) <= len(values))


def in_class_order(names: Iterable[str]) -> list[str]:
    """Return names of classes in numerical order where all are numbers, else in alphabetical order."""
    names = sorted(names)
    numbers = _numbers(names)
    if numbers is None:
        return names
    return [name for _, name in sorted(zip(numbers.tolist(), names, strict=True))]


def class_or_number(
    labels: Sequence[str], task: AskedTask, field: str, notes: list[str]
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Make targets of labels as they stand in a text.

    Args:
        field: of the configuration that the labels come from, for messages.
        notes: takes a line where the task was inferred from numbers.

    Returns:
        int64 (n,) positions in the names of the classes, and these names; or float32 (n, 1) and no names.

    Raises:
        DataError: the labels do not fit the task, are all the same, or could be classes as well as numbers.
    """
    if task == SHARES:
        raise DataError(
            f"{field}: soft labels are several numbers a sample, a share of each class, and this has one label",
            "Set data.task to auto or classification",
        )
    numbers = _numbers(labels)
    if task == NUMBERS and numbers is None:
        wrong = next(label for label in labels if _numbers([label]) is None)
        raise DataError(f"{field}: got '{wrong}', which is not a number", "Set data.task to classification")
    if numbers is not None and (task == NUMBERS or (task == "auto" and not are_classes(numbers))):
        if task == "auto" and is_numbered(numbers):
            raise DataError(
                f"{field}: whole numbers from {numbers.min():g} to {numbers.max():g} may be classes or quantities",
                "Set data.task to classification or regression",
            )
        if task == "auto":
            notes.append(
                "targets: treated as numbers to predict; data.task=classification treats them as classes"
            )
        return numbers.astype(np.float32)[:, None], ()
    if numbers is not None and (numbers % 1 == 0).all():
        labels = [f"{number:.0f}" for number in numbers]
    names = in_class_order(set(labels))
    if len(names) < 2:
        raise DataError(
            f"{field}: all labels are {names[0]}: there is nothing to classify", "Give two classes"
        )
    places = {name: place for place, name in enumerate(names)}
    return np.array([places[label] for label in labels], dtype=np.int64), tuple(names)


def _numbers(texts: Sequence[str]) -> np.ndarray | None:
    """The finite numbers that texts are; None where one is not."""
    try:
        values = np.array([float(text) for text in texts])
    except ValueError:
        return None
    return values if np.isfinite(values).all() else None
