"""A threshold for the score of each label: the one with the highest F1 on validation."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.evaluation.predictions import Predictions
from core.evaluation.thresholds import below, best_f1_place
from core.evaluation.values import Floats, Undefined
from core.evaluation.weighted import ranked_counts

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
        ranked = ranked_counts(predictions.scores[:, label], targets[:, label], predictions.weights)
        best = best_f1_place(ranked)
        if isinstance(best, Undefined) or not ranked.negatives:
            without.append(name)
            continue
        values[label] = below(ranked, best)
    return Thresholds(values, tuple(without))
