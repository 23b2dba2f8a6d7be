"""Targets that look wrong, by confident learning.

Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels" (2021): a sample counts as
one of another class when the probability of that class is at least what it is, in the mean, for samples labelled so.
"""

import numpy as np

from core.evaluation.predictions import Predictions
from core.evaluation.values import Integers

__all__ = ["likely_label_errors"]


def likely_label_errors(predictions: Predictions) -> Integers:
    """Return the positions of samples whose target is probably wrong, the most probable first.

    Scores must be probabilities of samples that the model was not trained on; else nothing is returned.
    """
    if not predictions.probabilities or predictions.scores.ndim != 2 or predictions.targets.ndim != 1:
        return np.empty(0, dtype=np.int64)
    scores, targets = predictions.scores.astype(np.float64), predictions.targets
    classes, n = scores.shape[1], len(targets)
    counts = np.bincount(targets, minlength=classes)
    own = scores[np.arange(n), targets]
    # the class of no sample has no mean, and cannot be what a target should have been
    means = np.bincount(targets, weights=own, minlength=classes)
    usual = np.divide(means, counts, out=np.full(classes, np.inf), where=counts > 0)
    confident = np.where(scores >= usual, scores, -1.0)
    likely = confident.argmax(axis=1)
    suspects = np.flatnonzero((confident.max(axis=1) > 0) & (likely != targets))
    margin = scores[suspects, likely[suspects]] - own[suspects]
    order: Integers = suspects[np.argsort(-margin, kind="stable")]
    return order
