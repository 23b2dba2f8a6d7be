"""95 % intervals over images: what other images of the same kind would give."""

import numpy as np

from core.evaluation.segmentation.counts import answered, per_class
from core.evaluation.values import Array

__all__ = ["MIN_IMAGES", "image_intervals"]

MIN_IMAGES = 10
"""With fewer a bootstrap covers much less than 95 %."""
DRAWS = 2000
ENDS = (2.5, 97.5)


def image_intervals(
    summed: Array, dice: np.random.Generator
) -> tuple[dict[str, list[float]], list[dict[str, list[float]]]]:
    """Return the intervals of the metrics over all classes, and those of each class.

    Whole images are drawn with replacement, as pixels of an image are not independent (percentile bootstrap, Efron
    and Tibshirani 1993, chapter 13).

    Args:
        summed: (n, 3, classes) of n images, see `core.evaluation.segmentation.counts.totals`.
    """
    images = len(summed)
    times = dice.multinomial(images, np.full(images, 1 / images), size=DRAWS)
    drawn = (times @ summed.reshape(images, -1)).reshape(DRAWS, *summed.shape[1:])
    found = {name: _ends(values) for name, values in answered(drawn).items()}
    classes: list[dict[str, list[float]]] = [{} for _ in range(summed.shape[-1])]
    for name, values in per_class(drawn).items():
        for at, of_class in enumerate(classes):
            ends = _ends(values[:, at])
            if ends is not None:
                of_class[name] = ends
    return {name: ends for name, ends in found.items() if ends is not None}, classes


def _ends(values: Array) -> list[float] | None:
    """The interval of drawn values; None where they are mostly undefined."""
    known = values[np.isfinite(values)]
    if len(known) < 0.9 * len(values):
        return None
    low, high = np.percentile(known, ENDS)
    return [float(low), float(high)]
