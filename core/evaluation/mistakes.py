"""Mistakes of a classifier: pairs of classes, and samples."""

from dataclasses import dataclass

import numpy as np

from core.evaluation.predictions import Predictions
from core.evaluation.values import Integers


@dataclass(frozen=True)
class ConfusedPair:
    """``count`` samples of class ``true``, a ``share`` (0 to 1) of it, were predicted as ``predicted``."""

    true: int
    predicted: int
    count: int
    share: float


def most_confused(matrix: Integers, k: int) -> list[ConfusedPair]:
    """The ``k`` cells off the diagonal with the most samples, largest first, without empty ones.

    Equal counts stand in the order of the matrix, row by row.
    """
    mistakes = matrix.copy()
    np.fill_diagonal(mistakes, 0)
    cells = np.argsort(-mistakes, axis=None, kind="stable")[:k]
    support = matrix.sum(axis=1)
    return [
        ConfusedPair(int(true), int(predicted), int(count), float(count / support[true]))
        for true, predicted in zip(*np.unravel_index(cells, matrix.shape), strict=True)
        if (count := mistakes[true, predicted])
    ]


def most_confident_mistakes(predictions: Predictions, k: int) -> Integers:
    """Positions of at most ``k`` wrongly predicted samples, the highest score of the predicted class first.

    Equal scores stand in the order of the samples.
    """
    wrong = np.flatnonzero(predictions.predicted != predictions.targets)
    confidence = predictions.scores[wrong, predictions.predicted[wrong]]
    return wrong[np.argsort(-confidence, kind="stable")[:k]]


def samples_in_cell(predictions: Predictions, true: int, predicted: int) -> Integers:
    """Ascending positions of the samples of class ``true`` predicted as ``predicted``."""
    return np.flatnonzero((predictions.targets == true) & (predictions.predicted == predicted))
