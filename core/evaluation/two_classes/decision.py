"""Rules by which the decision threshold of two classes is chosen, on samples that the model was not trained on."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from core.evaluation.curves import RankedCounts
from core.evaluation.thresholds import below, best_f1_place, place_for_precision, place_for_recall
from core.evaluation.values import Undefined

__all__ = ["Decision", "Goal", "Rule", "choose"]

Goal = Literal["f1", "precision", "recall", "costs", "given"]


@dataclass(frozen=True)
class Rule:
    """Rule that a threshold is chosen by.

    Attributes:
        at_least: the precision or recall that is wanted, 0 to 1.
        false_positive, false_negative: costs of the two errors, 0 or above.
        threshold: that is wanted itself, where the goal is ``given``.

    Raises:
        ValueError: a number is outside its range, or both errors cost nothing.
    """

    goal: Goal
    at_least: float = 0.0
    false_positive: float = 1.0
    false_negative: float = 1.0
    threshold: float = 0.5

    def __post_init__(self) -> None:
        if self.goal not in get_args(Goal):
            raise ValueError(f"'{self.goal}' is not a goal")
        if not 0 <= self.at_least <= 1:
            raise ValueError(f"{self.goal} of {self.at_least:g} is outside 0 to 1")
        if not math.isfinite(self.threshold):
            raise ValueError(f"{self.threshold} is not a threshold")
        costs = (self.false_positive, self.false_negative)
        if not all(0 <= cost < float("inf") for cost in costs) or not any(costs):
            raise ValueError(f"costs of {costs[0]:g} and {costs[1]:g}: neither may be negative, nor both 0")

    @property
    def words(self) -> str:
        """Describe the rule in a phrase."""
        if self.goal == "f1":
            return "highest F1"
        if self.goal == "given":
            return f"threshold of {self.threshold:.4g}, chosen by hand"
        if self.goal == "costs":
            return (
                f"lowest costs, {self.false_positive:g} a false positive and "
                f"{self.false_negative:g} a false negative"
            )
        return f"{self.goal} of {self.at_least:g} or more"


@dataclass(frozen=True)
class Decision:
    """A threshold that was chosen by a rule: scores of at least `threshold` count as the positive class."""

    threshold: float
    rule: Rule


def choose(ranked: RankedCounts, rule: Rule) -> Decision | Undefined:
    """Return the threshold that a rule gives for the scores of the positive class, or why none does.

    It lies half way between two scores, so that rounding does not decide. Of equally good ones it is the highest.
    """
    if rule.goal == "given":
        return Decision(rule.threshold, rule)
    if rule.goal == "costs":
        place = _cheapest(ranked, rule)
    elif rule.goal == "f1":
        place = best_f1_place(ranked)
    elif rule.goal == "precision":
        place = place_for_precision(ranked, rule.at_least)
    else:
        place = place_for_recall(ranked, rule.at_least)
    if isinstance(place, Undefined):
        return place
    if place < 0:
        highest = ranked.scores[-1]
        return Decision(float(np.nextafter(highest, np.inf, dtype=highest.dtype)), rule)
    return Decision(below(ranked, place), rule)


def _cheapest(ranked: RankedCounts, rule: Rule) -> int | Undefined:
    """Return the place of the threshold with the lowest costs on these samples; -1 where no sample is called positive.

    The costs of a threshold are linear in both errors, so that the best one is where the ROC curve turns (Provost and
    Fawcett, "Robust classification for imprecise environments", 2001).
    """
    if not ranked.positives or not ranked.negatives:
        return Undefined("all samples are of one class")
    costs = rule.false_positive * ranked.fp + rule.false_negative * (ranked.positives - ranked.tp)
    best = int(np.argmin(costs))
    return -1 if rule.false_negative * ranked.positives <= costs[best] else best
