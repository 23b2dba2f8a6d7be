"""Independent units of samples: groups where there are some, else the samples; and how many of them there are."""

import numpy as np

from core.evaluation.intervals.jackknife import too_few_groups
from core.evaluation.predictions import Predictions
from core.evaluation.values import Array, Floats
from core.evaluation.weighted import effective_size

__all__ = [
    "OF_RANKS",
    "effective_units",
    "freedom_of",
    "has_too_few_groups",
    "is_grouped",
    "sums_of_units",
    "units_of",
]

OF_RANKS = ("roc_auc", "average_precision")


def has_too_few_groups(predictions: Predictions) -> bool:
    """Return whether the groups of samples are too few to tell how much groups differ from each other."""
    return bool(too_few_groups(predictions.groups))


def is_grouped(predictions: Predictions) -> bool:
    """Return whether some samples belong together."""
    return predictions.groups is not None and len(np.unique(predictions.groups)) < len(predictions)


def units_of(predictions: Predictions) -> Array:
    """Return the number (n,) of the group that each sample is of; of independent samples that of the sample."""
    if predictions.groups is None:
        return np.arange(len(predictions))
    codes: Array = np.unique(predictions.groups, return_inverse=True)[1]
    return codes


def sums_of_units(predictions: Predictions, influences: Floats) -> Floats:
    """Return the influences of independent units: of groups the sum over their samples."""
    if not is_grouped(predictions):
        return influences
    sums: Floats = np.bincount(units_of(predictions), weights=influences).astype(np.float64)
    return sums


def freedom_of(predictions: Predictions, metric: str) -> int:
    """Return the degrees of freedom of a metric: independent units less one; of areas, those of the rarest class."""
    return max(1, effective_units(predictions, of_rarest_class=metric.startswith(OF_RANKS)) - 1)


def effective_units(predictions: Predictions, *, of_rarest_class: bool = False) -> int:
    """Return how many independent units there are; where samples have weights, how many of equal weight say as much."""
    units, targets = units_of(predictions), predictions.targets
    if not of_rarest_class:
        samples = len(np.unique(units))
    elif predictions.has_labels:
        samples = min((len(np.unique(units[column != 0])) for column in targets.T), default=1)
    else:
        samples = min(len(np.unique(units[targets == label])) for label in np.unique(targets))
    if predictions.weights is not None:
        samples = int(samples * effective_size(predictions.weights) / len(units))
    return samples
