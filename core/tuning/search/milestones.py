"""Milestones: the epochs at which trials pause, and which of all that wait is trained on next.

This is asynchronous successive halving (Li et al. 2020, *A System for Massively Parallel Hyperparameter Tuning*), but
a trial that is not promoted waits with its checkpoint, and may be promoted once more trials have reached its
milestone. Hyperband (Li et al. 2018) shares the trials out to brackets, each of which starts at a later milestone.

Nothing here knows of storages or processes: whoever has recorded curves can simulate a study with these functions.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

__all__ = [
    "REDUCTION",
    "Reached",
    "best_so_far",
    "bracket_of",
    "given_up",
    "in_line",
    "milestones",
    "promotable",
]

REDUCTION = 2
"""One trial in so many is promoted from each milestone: one in three would lose too many that start slowly."""
STEPS = 5
"""The most milestones of a trial."""
GOLDEN = (math.sqrt(5) - 1) / 2
HOPELESS = 2
"""A trial is given up when even a study of this many times its trials would not promote it."""


@dataclass(frozen=True)
class Reached:
    """How far one trial has come.

    Attributes:
        values: the best value so far at each milestone that it has reached, by epochs; smaller is better, and NaN, for
            a metric without a value, counts as worst. Of a trial that failed before the first one: NaN there.
        waits: true if it is paused at the last of them.
    """

    trial: int
    values: Mapping[int, float] = field(default_factory=dict)
    waits: bool = False
    bracket: int = 0

    @property
    def at(self) -> int:
        """The last milestone that it has reached, in epochs; 0 before the first."""
        return max(self.values, default=0)


def milestones(epochs: int, bracket: int = 0) -> tuple[int, ...]:
    """Return after how many epochs a trial of so many pauses, from the first on; empty for trials of one epoch.

    Each is half of the next, so that the steps that cost most are exact.

    Args:
        bracket: how many of the first ones are left out.
    """
    found = {max(1, round(epochs / REDUCTION**step)) for step in range(1, STEPS + 1)}
    return tuple(sorted(found - {epochs}))[bracket:]


def bracket_of(trial: int, epochs: int) -> int:
    """Return the bracket of a trial of Hyperband, by its number: each gets about the same number of epochs.

    The shares are those of Li et al. 2018. Multiples of the golden ratio spread evenly, so that any number of trials
    has about these shares.
    """
    brackets = len(milestones(epochs)) + 1
    weights = [REDUCTION ** (brackets - 1 - bracket) / (brackets - bracket) for bracket in range(brackets)]
    place = (trial + 0.5) * GOLDEN % 1 * sum(weights)
    return next(bracket for bracket, end in enumerate(accumulate(weights)) if place < end)


def best_so_far(curve: Iterable[float], direction: str) -> float:
    """Return the best value of a curve; NaN when it has none."""
    known = [value for value in curve if not math.isnan(value)]
    if not known:
        return math.nan
    return min(known) if direction == "minimize" else max(known)


def promotable(found: Iterable[Reached], *, ends: bool = False) -> list[int]:
    """Return the trials that may be trained on, the most promising one first.

    Of all trials that have reached a milestone the best half is promoted. Later milestones come first.

    Args:
        ends: true when no new trials will start: then the best one of each milestone is promoted in any case.
    """
    chosen: list[tuple[int, int]] = []
    for at, ranked in _by_milestone(found):
        count = max(len(ranked) // REDUCTION, 1 if ends else 0)
        chosen += [(-at, one.trial) for one in ranked[:count] if one.waits and one.at == at]
    return [trial for _, trial in sorted(chosen, key=lambda pair: pair[0])]


def in_line(found: Iterable[Reached]) -> list[int]:
    """Return all trials that wait: those that may be trained on, then the others, by their place among their equals."""
    found = list(found)
    first = promotable(found)
    behind: list[tuple[float, int, int]] = []
    for at, ranked in _by_milestone(found):
        behind += [
            ((place + 1) / len(ranked), -at, one.trial)
            for place, one in enumerate(ranked)
            if one.waits and one.at == at and one.trial not in first
        ]
    return [*first, *(trial for _, _, trial in sorted(behind))]


def given_up(found: Iterable[Reached], trials: int | None) -> set[int]:
    """Return the trials that wait without hope: so many others are better that more trials will not change it.

    Args:
        trials: of the whole study; None, when that is open, gives up none.
    """
    if trials is None:
        return set()
    hopeless: set[int] = set()
    steps: dict[int, int] = {}
    for at, ranked in sorted(_by_milestone(found), key=lambda pair: pair[0]):
        bracket = ranked[0].bracket
        step = steps[bracket] = steps.get(bracket, 0) + 1
        most = math.ceil(HOPELESS * trials / REDUCTION**step)
        hopeless |= {one.trial for one in ranked[most:] if one.waits and one.at == at}
    return hopeless


def _by_milestone(found: Iterable[Reached]) -> list[tuple[int, Sequence[Reached]]]:
    """Return the trials that have reached each milestone of each bracket, the best one first."""
    groups: dict[tuple[int, int], list[Reached]] = {}
    for one in found:
        for at in one.values:
            groups.setdefault((one.bracket, at), []).append(one)
    return [
        (at, sorted(group, key=lambda one: (_worst_last(one.values[at]), one.trial)))
        for (_, at), group in groups.items()
    ]


def _worst_last(value: float) -> float:
    return math.inf if math.isnan(value) else value
