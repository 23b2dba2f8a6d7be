"""A threshold for the score of each label: the one with the highest F1 on validation."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.evaluation.curves import one_vs_rest
from core.evaluation.predictions import Predictions
from core.evaluation.values import Floats

__all__ = ["Thresholds", "choose_thresholds"]


@dataclass(frozen=True)
class Thresholds:
    """Scores from which on a label is predicted, (labels,), and the labels that validation says nothing about."""

    values: Floats
    without: tuple[str, ...] = ()


def choose_thresholds(predictions: Predictions, names: Sequence[str]) -> Thresholds:
    """Return the threshold of each label that gives the highest F1, the highest one of equals.

    It lies half way between two scores, so that rounding does not decide. A label that no sample has, or all have,
    keeps the default.
    """
    values = replace(predictions, thresholds=None).used_thresholds
    without = []
    targets = predictions.targets.astype(bool)
    for label, name in enumerate(names):
        ranked = one_vs_rest(predictions.scores[:, label], targets[:, label])
        if not ranked.positives or not ranked.negatives:
            without.append(name)
            continue
        f1 = 2 * ranked.tp / (ranked.positives + ranked.tp + ranked.fp)
        best = float(ranked.thresholds[int(np.argmax(f1))])
        below = np.searchsorted(ranked.scores, ranked.scores.dtype.type(best), side="left")
        values[label] = best if not below else (best + float(ranked.scores[below - 1])) / 2
    return Thresholds(values, tuple(without))
