"""Influence of each image on the metrics of masks, from which runs are compared image by image."""

import numpy as np

from core.evaluation.predictions import Predictions
from core.evaluation.segmentation.counts import image_counts, totals
from core.evaluation.values import Array, Floats

__all__ = ["image_influences"]


def image_influences(predictions: Predictions) -> dict[str, Floats]:
    """Return how much each image (n,) moves a metric: the derivative by its weight, times n (Hampel 1974).

    Of a ratio R / U of sums over images it is (r - R / U x u) / (U / n).
    """
    classes = 1 + int(max(predictions.scores.max(initial=0), _largest(predictions)))
    right, true, predicted = np.moveaxis(
        totals(image_counts(predictions.scores, predictions.targets, classes)).astype(np.float64), 1, 0
    )
    occurs = (true + predicted).sum(axis=0) > 0
    right, true, predicted = right[:, occurs], true[:, occurs], predicted[:, occurs]
    return {
        "pixel_accuracy": _of_ratio(right.sum(axis=1, keepdims=True), true.sum(axis=1, keepdims=True)),
        "mean_iou": _of_ratio(right, true + predicted - right),
        "mean_dice": _of_ratio(2 * right, true + predicted),
    }


def _of_ratio(above: Array, below: Array) -> Floats:
    """The mean over classes of the influences on ratios of sums; above and below are (n, classes)."""
    mean = below.mean(axis=0)
    found: Floats = ((above - above.sum(axis=0) / below.sum(axis=0) * below) / mean).mean(axis=1)
    return found


def _largest(predictions: Predictions) -> int:
    from core.arrays import IGNORED

    return int(predictions.targets.max(initial=0, where=predictions.targets != IGNORED))
