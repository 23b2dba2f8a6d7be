"""Parts of all simple models: the rows that they learn from, one model for each target, and what they answer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.losses.base import TargetKind

__all__ = ["Fitted", "NotFitting", "ShouldStop", "apart", "drawn", "of_each", "of_rows", "scores_of"]

ShouldStop = Callable[[], bool]

MAX_CELLS = 4_000_000
"""Numbers that boosting and linear models learn from; of larger data they get as many rows, drawn at random."""
MIN_ROWS = 1000


class NotFitting(Exception):
    """A model that does not fit these samples, with the reason."""


@dataclass(frozen=True)
class Fitted:
    """A simple model that has learnt.

    Attributes:
        predict: returns scores (n, classes), or numbers (n,), for a split.
        how: how it was made, a few words.
        rows: training samples that it learnt from.
    """

    predict: Callable[[str], np.ndarray]
    how: str
    rows: int


def drawn(rows: int, width: int) -> np.ndarray:
    """Return the positions of rows to learn from, in ascending order."""
    most = max(MIN_ROWS, MAX_CELLS // max(1, width))
    if rows <= most:
        return np.arange(rows)
    return np.sort(np.random.default_rng(0).choice(rows, most, replace=False))


def of_rows(weights: np.ndarray | None, rows: np.ndarray) -> np.ndarray | None:
    return None if weights is None else weights[rows]


@dataclass(frozen=True)
class _Constant:
    """A model of a label that all training samples have, or none."""

    value: int
    classes_ = np.arange(2)

    def predict_proba(self, inputs: Any) -> np.ndarray:
        return np.repeat(np.eye(2)[[self.value]], inputs.shape[0], 0)


def of_each(targets: np.ndarray, fit: Callable[[np.ndarray], Any], kind: TargetKind) -> list[Any]:
    """Fit a model to targets (n,), or one to each of several (n, k)."""
    if targets.ndim == 1:
        return [fit(targets)]
    same = [kind == "labels" and (column == column[0]).all() for column in targets.T]
    return [
        _Constant(int(column[0])) if only else fit(np.ascontiguousarray(column))
        for column, only in zip(targets.T, same, strict=True)
    ]


def apart(models: list[Any]) -> str:
    return f", one for each of {len(models)}" if len(models) > 1 else ""


def scores_of(models: list[Any], inputs: Any, classes: int) -> np.ndarray:
    """Return probabilities of all classes, those that a model has not seen among them, or of labels, or numbers.

    Args:
        inputs: (n, columns), an array or a sparse matrix.
    """
    if classes:
        (model,) = models
        scores = np.zeros((inputs.shape[0], classes))
        scores[:, model.classes_] = model.predict_proba(inputs)
        return scores
    each = [
        model.predict_proba(inputs)[:, 1] if hasattr(model, "predict_proba") else model.predict(inputs)
        for model in models
    ]
    return np.asarray(each[0] if len(each) == 1 else np.stack(each, axis=1), dtype=np.float64)
