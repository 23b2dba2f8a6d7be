"""One class against the rest, from the highest score down: what is found and what is flagged by mistake.

Draws of it are those of the Bayesian bootstrap (Rubin 1981): each sample gets a random weight, so that those of one
class between two thresholds have a gamma variable. As in `core.evaluation.intervals.counts`, one more mistake is added
for low ends and one more hit for high ends, so that a split without mistakes is not taken for certainty.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.evaluation.intervals import LEVELS
from core.evaluation.values import Array, Floats, Integers
from core.evaluation.weighted import cumulated, effective_size

__all__ = ["DrawPair", "ScoreSteps", "StepDraws", "drawn_pair", "ends", "steps_of"]

REPEATS = 1000
MAX_BINS = 200
"""Parts of each class that draws tell apart; their thresholds are exact, what lies between is joined."""


@dataclass(frozen=True, eq=False)
class ScoreSteps:
    """Sums of weights of both classes (k,) with scores of at least each threshold, which descend.

    Attributes:
        worth: how many independent samples a weight of 1 stands for.
    """

    thresholds: Floats
    tp: Floats
    fp: Floats
    worth: float = 1.0

    @property
    def positives(self) -> float:
        return float(self.tp[-1]) if len(self.tp) else 0.0

    @property
    def negatives(self) -> float:
        return float(self.fp[-1]) if len(self.fp) else 0.0


def steps_of(scores: Array, positive: NDArray[np.bool_], weights: Floats | None = None) -> ScoreSteps:
    """Return the steps at every distinct score; all arguments are (n,)."""
    by = np.ones(len(scores)) if weights is None else weights
    thresholds, tp, fp = cumulated(scores, positive, by)
    worth = 1.0 if weights is None else effective_size(weights) / float(weights.sum())
    return ScoreSteps(thresholds.astype(np.float64), tp, fp, worth)


@dataclass(frozen=True, eq=False)
class StepDraws:
    """Cumulated weights (draws, bins) of both classes, from 0 to all; the first bin is of none."""

    tp: Floats
    fp: Floats

    @property
    def tpr(self) -> Floats:
        """(draws, bins): share of the positives that is found."""
        return self.tp / self.tp[:, -1:]

    @property
    def fpr(self) -> Floats:
        """(draws, bins): share of the negatives that is flagged."""
        return self.fp / self.fp[:, -1:]


def draw(
    steps: ScoreSteps, rng: np.random.Generator, more: Literal["hit", "mistake"], bins: Integers | None = None
) -> StepDraws:
    """Return draws of some steps, with one sample more: a hit, or a mistake.

    Args:
        steps: with samples of both classes.
        bins: places among the steps at which draws are made; by default those that tell `MAX_BINS` parts of each class
            apart.
    """
    at = bins_of(steps) if bins is None else bins
    extra = rng.standard_exponential(REPEATS)
    is_positive = rng.random(REPEATS) < 0.5
    drawn = []
    for sums, ours in ((steps.tp, is_positive), (steps.fp, ~is_positive)):
        parts = np.diff(sums[at] * steps.worth, prepend=0.0).clip(0)
        weights = rng.standard_gamma(parts, size=(REPEATS, len(at)))
        first = ours & (is_positive == (more == "hit"))  # a hit is a positive on top, or a negative below all
        padded = np.zeros((REPEATS, len(at) + 3))
        padded[:, 2:-1] = weights
        padded[:, 1] = extra * first
        padded[:, -1] = extra * (ours & ~first)
        drawn.append(np.cumsum(padded, axis=1))
    return StepDraws(*drawn)


def bins_of(steps: ScoreSteps) -> Integers:
    """Return the places of the last step of each bin."""
    found = [np.array([len(steps.tp) - 1])]
    for sums in (steps.tp, steps.fp):
        part = np.ceil(sums / max(float(sums[-1]), 1e-300) * MAX_BINS)
        found.append(np.flatnonzero(np.diff(part)))
        found.append(np.flatnonzero(np.diff(part)) + 1)
    return np.unique(np.concatenate(found))


DrawPair = tuple[StepDraws, StepDraws]
"""Draws with one mistake more, and with one hit more."""


def drawn_pair(steps: ScoreSteps, rng: np.random.Generator, bins: Integers | None = None) -> DrawPair:
    """Return draws for low ends and for high ends; arguments as in `draw`."""
    return draw(steps, rng, "mistake", bins), draw(steps, rng, "hit", bins)


def ends(pair: DrawPair, value: Callable[[StepDraws], Floats]) -> tuple[Floats, Floats]:
    """Return the low and high ends of what follows from steps.

    Args:
        value: gives it for some draws, (draws, ...); more mistakes make it smaller.
    """
    low, high = map(value, pair)
    return np.nanquantile(low, LEVELS[0], axis=0), np.nanquantile(high, LEVELS[1], axis=0)
