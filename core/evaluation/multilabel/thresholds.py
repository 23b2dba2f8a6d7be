"""A threshold for the score of each label, chosen on validation: by default the one with the highest F1."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.evaluation.predictions import Predictions
from core.evaluation.two_classes.decision import Decision, Rule, choose
from core.evaluation.values import Floats, Undefined
from core.evaluation.weighted import ranked_counts

__all__ = ["Thresholds", "choose_thresholds", "decide_labels"]


@dataclass(frozen=True)
class Thresholds:
    """Scores from which on a label is predicted, (labels,), and the labels that validation says nothing about."""

    values: Floats
    without: tuple[str, ...] = ()


def choose_thresholds(predictions: Predictions, names: Sequence[str]) -> Thresholds:
    """Return the threshold of each label that gives the highest F1, the highest one of equals.

    A label that no sample has, or all have, keeps the default.
    """
    values = replace(predictions, thresholds=None).used_thresholds
    without = []
    for label, found in decide_labels(predictions, Rule("f1"), range(len(names))).items():
        if isinstance(found, Undefined):
            without.append(names[label])
        else:
            values[label] = found.threshold
    return Thresholds(values, tuple(without))


def decide_labels(
    predictions: Predictions, rule: Rule, labels: Sequence[int]
) -> dict[int, Decision | Undefined]:
    """Return the thresholds of some labels by a rule, or why one has none."""
    return {label: _decide(predictions, rule, label) for label in labels}


def _decide(predictions: Predictions, rule: Rule, label: int) -> Decision | Undefined:
    ranked = ranked_counts(predictions.scores[:, label], predictions.positive(label), predictions.weights)
    if not ranked.positives or not ranked.negatives:
        return Undefined(f"{'all samples have' if ranked.positives else 'no sample has'} this label")
    return choose(ranked, rule)
