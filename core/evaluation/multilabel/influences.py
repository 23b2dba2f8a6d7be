"""Influence of each sample on the metrics of several labels; see `core.evaluation.influence`."""

import numpy as np

from core.evaluation import influence
from core.evaluation.classification import ClassCounts
from core.evaluation.multilabel.values import Truths, averages, label_counts, sample_values
from core.evaluation.predictions import Predictions
from core.evaluation.values import Floats

__all__ = ["label_influences"]

STEP = 1e-4
"""Weight added to a sample to see its influence, in samples."""
BLOCK = 4_000_000
"""Pairs of sample and label that are computed with at once."""


def label_influences(predictions: Predictions, weights: Floats) -> dict[str, Floats]:
    """Return the influences (n,) on every metric that has them; a mean of areas only where all labels have one.

    Args:
        weights: of the samples (n,), with a mean of one.
    """
    targets, predicted = predictions.targets.astype(bool), predictions.predicted.astype(bool)
    found = {
        name: influence.centred(each, weights) for name, each in sample_values(predicted, targets).items()
    }
    found |= _of_counts(predicted, targets, weights)
    support = weights @ targets
    occurs = np.count_nonzero(targets, axis=0)
    if ((occurs > 0) & (occurs < len(targets))).all():
        pairs = zip(predictions.scores.T, targets.T, strict=True)
        of_labels = np.array([influence.area_influence(*pair, weights) for pair in pairs])
        for place, name in enumerate(("roc_auc", "average_precision")):
            found[f"{name}_macro"] = of_labels[:, place].mean(axis=0)
            found[f"{name}_weighted"] = support / support.sum() @ of_labels[:, place]
    if 0 < occurs.sum() < targets.size:
        labels = targets.shape[1]
        pooled = influence.area_influence(
            predictions.scores.ravel(), targets.ravel(), np.repeat(weights, labels)
        )
        for name, on in zip(("roc_auc", "average_precision"), pooled, strict=True):
            found[f"{name}_micro"] = on.reshape(targets.shape).mean(axis=1)
    return found


def _of_counts(predicted: Truths, targets: Truths, weights: Floats) -> dict[str, Floats]:
    """Return the influences on macro, micro and weighted means: how much they change with a sample's weight."""
    counts, n = label_counts(predicted, targets, weights), len(targets)
    base = averages(counts)
    parts: list[dict[str, Floats]] = []
    rows = max(1, BLOCK // targets.shape[1])
    for start in range(0, n, rows):
        given, true = predicted[start : start + rows], targets[start : start + rows]
        moved = ClassCounts(
            counts.hits + STEP * (given & true), counts.support + STEP * true, counts.predicted + STEP * given
        )
        parts.append(averages(moved))
    together = {name: np.concatenate([part[name] for part in parts]) for name in base}
    return {
        name: n * (together[name] - float(value)) / STEP
        for name, value in base.items()
        if np.isfinite(together[name]).all() and np.isfinite(value)
    }
