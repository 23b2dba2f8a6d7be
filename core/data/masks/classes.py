"""Values of masks as classes: which there are, and which of them count nowhere."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from core.arrays import IGNORED
from core.errors import DataError

__all__ = ["class_values", "named", "numbered"]

MAX_VALUES = 256
MAX_CLASSES = IGNORED
"""Classes are numbered from 0, and the number `IGNORED` is taken."""


def class_values(
    masks: Iterable[np.ndarray], ignore: int, names: Sequence[str], notes: list[str]
) -> list[int]:
    """Return the values that are classes, in ascending order.

    Args:
        masks: whole numbers of any shape.
        ignore: value of pixels that count nowhere; -1 for none.
        names: of classes numbered from 0, if they are known: these are the classes then.
        notes: takes a line for what was found.

    Raises:
        DataError: there are no two classes, or too many, or more than are named.
    """
    found: set[int] = set()
    for mask in masks:
        found.update(np.unique(mask).tolist())
        if len(found) > MAX_VALUES + 1:
            break
    if min(found) < 0:
        raise DataError(f"masks hold the value {min(found)}", "Give classes numbers from 0")
    classes = sorted(found - {ignore})
    if len(classes) == 1 and ignore in found:  # black and white masks, whose white is a class
        classes = sorted(found)
    if names:
        if classes and classes[-1] >= len(names):
            raise DataError(
                f"masks hold the class {classes[-1]}, but {len(names)} classes are named",
                "Name every class from 0 on, in their order",
            )
        classes = list(range(len(names)))
    if len(classes) > MAX_CLASSES:
        raise DataError(
            f"masks hold more than {MAX_CLASSES} different values, too many for classes",
            "A mask holds the number of a class at each pixel",
        )
    if len(classes) < 2:
        raise DataError(
            f"masks hold the value {classes[0] if classes else ignore} alone: there is nothing to tell apart",
            "Give masks of two classes or more",
        )
    left = ignore in found and ignore not in classes
    some = ", ".join(map(str, classes[:8])) + (f" ... {classes[-1]}" if len(classes) > 8 else "")
    text = f"masks: {len(classes)} classes, by the values {some}"
    notes.append(text + (f"; pixels of {ignore} count nowhere, data.ignore sets it" if left else ""))
    return classes


def named(classes: Sequence[int], names: Sequence[str]) -> tuple[str, ...]:
    """Return the names of classes; without names their values."""
    return tuple(names) or tuple(map(str, classes))


def numbered(classes: Sequence[int]) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function from values of a mask to class numbers as uint8; all other values become `IGNORED`."""
    table = np.full(max(classes) + 1, IGNORED, dtype=np.uint8)
    table[list(classes)] = np.arange(len(classes))

    def numbers(mask: np.ndarray) -> np.ndarray:
        known = mask < len(table)
        return np.where(known, table[np.where(known, mask, 0)], IGNORED).astype(np.uint8)

    return numbers
