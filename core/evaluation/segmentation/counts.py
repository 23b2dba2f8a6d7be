"""Pixels of each image by true and predicted class, from which every metric of masks follows."""

import numpy as np

from core.arrays import IGNORED
from core.evaluation.values import Array, Integers

__all__ = ["answered", "image_counts", "per_class", "totals"]

PIXELS_AT_ONCE = 1 << 22


def image_counts(answers: Array, targets: Array, classes: int) -> Integers:
    """Return int64 (n, classes, classes): the pixels of each image; rows are true classes, columns predicted ones.

    Args:
        answers, targets: uint8 (n, height, width); pixels whose target is `IGNORED` are left out.
    """
    counts = np.empty((len(answers), classes, classes), dtype=np.int64)
    size = classes * classes
    step = max(1, PIXELS_AT_ONCE // max(1, answers[0].size)) if len(answers) else 1
    for start in range(0, len(answers), step):
        true, answer = targets[start : start + step], answers[start : start + step]
        image = np.arange(len(true))[:, None, None]
        cells = image * size + true.astype(np.int64) * classes + answer
        found = np.bincount(cells[true != IGNORED], minlength=len(true) * size)
        counts[start : start + step] = found.reshape(-1, classes, classes)
    return counts


def totals(counts: Array) -> Array:
    """Return (..., 3, classes) of counts (..., classes, classes): right, true and predicted pixels of each class."""
    right = np.diagonal(counts, axis1=-2, axis2=-1)
    return np.stack([right, counts.sum(axis=-1), counts.sum(axis=-2)], axis=-2)


@np.errstate(divide="ignore", invalid="ignore")
def per_class(summed: Array) -> dict[str, Array]:
    """Return the metrics (..., classes) of each class from `totals`; NaN where a class does not occur.

    IoU is right / (true + predicted - right), also named Jaccard index; Dice is 2 right / (true + predicted), also
    named F1 (Dice 1945; Jaccard 1912).
    """
    right, true, predicted = (summed[..., place, :].astype(np.float64) for place in range(3))
    return {
        "iou": right / (true + predicted - right),
        "dice": 2 * right / (true + predicted),
        "precision": right / predicted,
        "recall": right / true,
    }


@np.errstate(divide="ignore", invalid="ignore")
def answered(summed: Array) -> dict[str, Array]:
    """Return the metrics (...) over all classes from `totals`: means over the classes that occur."""
    found = per_class(summed)
    right, true = summed[..., 0, :].sum(axis=-1), summed[..., 1, :].sum(axis=-1)
    return {
        "pixel_accuracy": right / true,
        "mean_iou": _mean(found["iou"]),
        "mean_dice": _mean(found["dice"]),
    }


def _mean(values: Array) -> Array:
    known = np.isfinite(values)
    mean: Array = np.where(known, values, 0).sum(axis=-1) / known.sum(axis=-1)
    return mean
