"""Attempts: what the storage knows of trials. Each is an Optuna trial that says "I train trial t, for the a-th time".

Of several attempts for the same t and a the first counts. The last attempt that counts says how a trial stands: it is
running, it has a result, it waits at a milestone, or it was interrupted and anyone may take it up.
"""

import math
from collections.abc import Mapping, Sequence

from optuna.trial import FrozenTrial, TrialState

from core.tuning.search.methods import TRIAL
from core.tuning.search.milestones import Reached, bracket_of, given_up, in_line
from core.tuning.search.plan import Plan

__all__ = [
    "ATTEMPT",
    "FAILED",
    "LEARNED_FROM",
    "ORIGIN",
    "PROCESS",
    "PROMOTED",
    "RESULT",
    "RUN",
    "SECONDS",
    "Attempts",
    "attempts",
    "is_waiting",
    "places_in_line",
    "reached",
]

ATTEMPT, PROCESS, RUN, RESULT = "attempt", "process", "run", "result"
"""User attributes of an attempt, beside the number of its trial."""
PROMOTED, SECONDS, ORIGIN = "promoted", "seconds", "origin"
"""The milestone from which a trial was promoted last, in epochs, how long it had trained until then, and where its
values are from if not drawn."""
LEARNED_FROM = "learned_from"
"""User attribute of an Optuna trial that is none of ours: the study from which it was taken over."""
FAILED = ("failed", "diverged")
"""States of trials that are as bad as any."""


class Attempts:
    """The attempts of a study, read again and again: one that has ended is looked at once.

    Attributes:
        latest: the last attempt that counts, by the number of its trial.
        unsettled: those of them that are running, or have ended without a result and do not wait at a milestone.
    """

    def __init__(self) -> None:
        self.latest: dict[int, FrozenTrial] = {}
        self.unsettled: dict[int, FrozenTrial] = {}
        self._first: dict[tuple[int, int], int] = {}
        self._running: list[int] = []
        self._count = 0
        self._untried = 0

    def read(self, trials: Sequence[FrozenTrial]) -> None:
        """Take in all attempts that there are now, in the order of their numbers."""
        places = [*self._running, *range(self._count, len(trials))]
        self._running, self._count = [], len(trials)
        for place in places:
            trial = trials[place]
            if TRIAL in trial.user_attrs:
                self._take(trial)
                if trial.state == TrialState.RUNNING:
                    self._running.append(place)

    def counts(self, attempt: FrozenTrial, number: int) -> bool:
        """Return whether the attempt of this number was the first of all that are equal."""
        return self._first[_key(attempt)] == number

    def first_untried(self) -> int:
        """Return the smallest number of a trial without attempts."""
        while self._untried in self.latest:
            self._untried += 1
        return self._untried

    def _take(self, trial: FrozenTrial) -> None:
        number, attempt = key = _key(trial)
        known = self.latest.get(number)
        if self._first.setdefault(key, trial.number) != trial.number:
            return
        if known is not None and _key(known)[1] > attempt:
            return
        self.latest[number] = trial
        if trial.state == TrialState.RUNNING or not (RESULT in trial.user_attrs or is_waiting(trial)):
            self.unsettled[number] = trial
        else:
            self.unsettled.pop(number, None)


def attempts(trials: Sequence[FrozenTrial]) -> dict[int, FrozenTrial]:
    """The last attempt that counts, by the number of the trial, in the order of these."""
    found = Attempts()
    found.read(trials)
    return dict(sorted(found.latest.items()))


def is_waiting(trial: FrozenTrial) -> bool:
    """Return whether a trial, by its last attempt, waits at a milestone for its promotion.

    An attempt whose process was killed after it had reached a milestone waits there, too.
    """
    result = trial.user_attrs.get(RESULT)
    if result is not None:
        return bool(result["state"] == "paused")
    at = max(trial.intermediate_values, default=0)
    return trial.state != TrialState.RUNNING and at > trial.user_attrs.get(PROMOTED, at)


def reached(plan: Plan, latest: Mapping[int, FrozenTrial]) -> list[Reached]:
    """Return how far each trial of a plan with milestones has come; one that failed has the worst value everywhere."""
    return [_reached(plan, number, trial) for number, trial in latest.items()]


def places_in_line(plan: Plan, latest: Mapping[int, FrozenTrial]) -> tuple[dict[int, int], set[int]]:
    """Return the place in line, from 1, of each trial that waits at a milestone, and the trials that are given up."""
    found = reached(plan, latest)
    hopeless = given_up(found, plan.trials)
    line = [number for number in in_line(found) if number not in hopeless]
    return {number: place for place, number in enumerate(line, 1)}, hopeless


def _reached(plan: Plan, number: int, trial: FrozenTrial) -> Reached:
    sign = 1 if plan.direction == "minimize" else -1
    values = {at: sign * value for at, value in trial.intermediate_values.items()}
    if (trial.user_attrs.get(RESULT) or {}).get("state") in FAILED:
        first = plan.milestones(number)[:1]
        values = dict.fromkeys([*first, *values], math.nan)
    bracket = bracket_of(number, plan.epochs) if plan.pruner == "hyperband" else 0
    return Reached(number, values, is_waiting(trial), bracket)


def _key(trial: FrozenTrial) -> tuple[int, int]:
    return trial.user_attrs.get(TRIAL, -1), trial.user_attrs.get(ATTEMPT, 0)
