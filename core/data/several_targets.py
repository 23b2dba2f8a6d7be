"""Several targets a sample: labels, each of which holds or not, or numbers."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from core.data.targets import LABELS, NUMBERS, AskedTask
from core.errors import DataError

__all__ = ["as_labels", "kind_of_several"]

MAX_NAMES = 6

SeveralKind = Literal["multilabel", "regression"]


def kind_of_several(
    values: np.ndarray, names: Sequence[str], task: AskedTask, place: str, notes: list[str]
) -> SeveralKind:
    """Return whether several targets a sample are labels or numbers: zeros and ones are labels.

    Args:
        values: (n, k) finite numbers; `names`: what the targets are called, (k,).
        place: where they stand, for messages.
        notes: takes a line where it was inferred.

    Raises:
        DataError: labels are asked for, and there is something else than 0 and 1; or nothing varies.
    """
    flags = ((values == 0) | (values == 1)).all(axis=0)
    listed = ", ".join(names[:MAX_NAMES]) + (" ..." if len(names) > MAX_NAMES else "")
    if task in (LABELS, "classification") and not flags.all():
        wrong = int(np.argmin(flags))
        column = values[:, wrong]
        other = column[(column != 0) & (column != 1)][0]
        raise DataError(
            f"{place}: {names[wrong]} is {other:g} in some rows, and labels are 0 or 1",
            "Set data.task to regression to predict numbers, or give columns of zeros and ones",
        )
    if (values == values[:1]).all():
        raise DataError(
            f"{place}: each of {listed} is the same in all rows: there is nothing to learn",
            "Give other targets",
        )
    if task == NUMBERS or not flags.all():
        if task == "auto":
            notes.append(f"targets: {len(names)} numbers to predict: {listed}")
        return "regression"
    if task == "auto":
        notes.append(
            f"targets: {len(names)} labels of zeros and ones, any of which may hold: {listed}; "
            "data.task=regression predicts them as numbers"
        )
    return "multilabel"


def as_labels(values: np.ndarray) -> np.ndarray:
    """Return zeros and ones (n, k) as targets: uint8, in rows."""
    return np.ascontiguousarray(values, dtype=np.uint8)
