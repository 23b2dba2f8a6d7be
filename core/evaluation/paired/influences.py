"""Influence of each sample on each metric of a model, as far as the metric has influences."""

from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from core.evaluation import influence
from core.evaluation.checks import why_not_probabilities
from core.evaluation.classification import ClassCounts, averages, log_losses
from core.evaluation.metric_values import class_counts, scores_to_rank_by
from core.evaluation.multilabel.influences import label_influences
from core.evaluation.predictions import Predictions
from core.evaluation.regression import residuals
from core.evaluation.segmentation.influence import image_influences
from core.evaluation.values import Array, Floats, Integers, ratio
from core.evaluation.weighted import mean_of

__all__ = ["influences_of"]

STEP = 1e-4
"""Weight added to a cell of a confusion matrix to see its influence, in samples."""
BLOCK = 4_000_000
AREAS = ("roc_auc", "average_precision")
OF_PROBABILITIES = ("log_loss", "brier")


@lru_cache(maxsize=16)
@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def influences_of(predictions: Predictions, wanted: frozenset[str] | None = None) -> dict[str, Floats]:
    """Return the influences (n,) of each sample on every metric that has them.

    Args:
        wanted: names that matter; the others of classes are left out where they take time. None for all.

    They sum to zero. A metric that has none, such as an RMSE of 0, is left out. Where samples have weights, each is
    multiplied by its weight, whose mean is one.
    """
    if predictions.has_masks:
        return image_influences(predictions)
    weights = _weights(predictions)
    if predictions.has_labels:
        found = label_influences(predictions, weights)
    elif predictions.has_numbers:
        single = [
            _of_numbers(predictions.of_target(place), weights) for place in range(predictions.target_count)
        ]
        shared = [name for name in single[0] if all(name in each for each in single)]
        found = {name: np.mean([each[name] for each in single], axis=0) for name in shared}
    else:
        found = _of_classes(predictions, weights, wanted)
    found = {name: each for name, each in found.items() if np.isfinite(np.square(each).sum())}
    return found if predictions.weights is None else {name: weights * each for name, each in found.items()}


def _weights(predictions: Predictions) -> Floats:
    """The weights (n,) of the samples, with a mean of one."""
    given = predictions.weights
    return np.ones(len(predictions)) if given is None else given / given.mean()


def _of_classes(
    predictions: Predictions, weights: Floats, wanted: frozenset[str] | None
) -> dict[str, Floats]:
    scores, classes = predictions.scores, predictions.scores.shape[1]
    found: dict[str, Floats] = {}
    if wanted is None or any(not name.startswith((*AREAS, *OF_PROBABILITIES)) for name in wanted):
        found |= _of_counts(predictions)
    if wanted is None or any(name.startswith(AREAS) for name in wanted):
        found |= _of_areas(predictions, weights)
    if why_not_probabilities(predictions) is None:
        found["log_loss"] = influence.centred(log_losses(scores, predictions.truth), weights)
        if classes == 2:
            found["brier"] = influence.centred(
                (scores[:, 1] - (predictions.targets == 1)).astype(np.float64) ** 2, weights
            )
    return found


def _of_areas(predictions: Predictions, weights: Floats) -> dict[str, Floats]:
    targets, ranked = predictions.targets, scores_to_rank_by(predictions)
    classes = predictions.scores.shape[1]
    found = {}
    per_class = [
        influence.area_influence(ranked[:, label], targets == label, weights)
        for label in range(classes)
        if 0 < np.count_nonzero(targets == label) < len(targets)
    ]
    if len(per_class) == classes:
        for position, name in enumerate(AREAS):
            found[f"{name}_macro"] = np.mean([pair[position] for pair in per_class], axis=0)
            if classes == 2:
                found[name] = per_class[1][position]
    pooled = influence.pooled_area_influence(ranked, targets, weights)
    found["roc_auc_micro"], found["average_precision_micro"] = pooled
    return found


def _of_numbers(predictions: Predictions, weights: Floats) -> dict[str, Floats]:
    residual, targets = residuals(predictions), predictions.targets.astype(np.float64)
    squared = residual**2
    deviation = mean_of((targets - mean_of(targets, weights)) ** 2, weights)
    centre = influence.centred(squared, weights)
    root = float(np.sqrt(mean_of(squared, weights)))
    found = {
        "mae": influence.centred(np.abs(residual), weights),
        "rmse": ratio(centre, np.array(2 * root)),
        "r2": -ratio(centre, np.array(deviation)),
    }
    if targets.all():
        found["mape"] = influence.centred(np.abs(residual / targets), weights)
    return found


def _of_counts(predictions: Predictions) -> dict[str, Floats]:
    """The influences on the metrics of the confusion matrix: those of the cell that a sample is in.

    The influence of a cell is how much the metrics change with its weight.
    """
    classes = predictions.scores.shape[1]
    counts = class_counts(predictions, classes)
    total = float(np.asarray(counts.support, dtype=np.float64).sum())
    place = predictions.targets * classes + predictions.predicted
    cells, which = np.unique(place, return_inverse=True)
    true, predicted = np.divmod(cells, classes)
    base = averages(counts)
    parts: list[dict[str, Floats]] = []
    size = max(1, BLOCK // classes)
    for start in range(0, len(cells), size):
        parts.append(_moved(counts, true[start : start + size], predicted[start : start + size]))
    moved = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return {
        name: (total * (moved[name] - float(value)) / STEP)[which]
        for name, value in base.items()
        if np.isfinite(moved[name]).all() and np.isfinite(value)
    }


def _moved(counts: ClassCounts, true: Integers, predicted: Integers) -> dict[str, Floats]:
    """The metrics (cells,) when one cell after another has a little more weight."""
    rows = np.arange(len(true))
    more = [np.repeat(part[None, :].astype(np.float64), len(true), axis=0) for part in _parts(counts)]
    hits, support, given = more
    hits[rows, true] += STEP * (true == predicted)
    support[rows, true] += STEP
    given[rows, predicted] += STEP
    return averages(ClassCounts(hits, support, given))


def _parts(counts: ClassCounts) -> Iterable[Array]:
    return counts.hits, counts.support, counts.predicted
