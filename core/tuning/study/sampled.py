"""A study as its search method sees it: one trial for each of ours, whatever became of its attempts.

- A trial that waits at a milestone is pruned there, with its best value so far. It stays so while it is trained on, and
  is complete once it is. (Promoting trials is worse than stopping them while the method does not know those that wait.)
- A trial that failed or diverged, or has no value, is as bad as any.
- Trials learned from other studies are there. Values outside ranges that were changed are not.
"""

import math
from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.trial import FrozenTrial, TrialState

from core.tuning.search.methods import distributions_of
from core.tuning.search.plan import Plan
from core.tuning.study.attempts import FAILED, LEARNED_FROM, RESULT, attempts

__all__ = ["seen_by_sampler"]


def seen_by_sampler(plan: Plan, trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """Return the trials that the search method of a plan learns from.

    Args:
        trials: Optuna's own, all attempts among them.
    """
    learned = [trial for trial in trials if LEARNED_FROM in trial.user_attrs]
    own = [_as_sampled(plan, trial) for trial in attempts(trials).values()]
    ranges = distributions_of(plan.space)
    known = [_in_ranges(trial, ranges) for trial in (*learned, *own) if trial is not None]
    seen = sorted((trial for trial in known if trial is not None), key=lambda trial: trial.number)
    return _all_complete(plan, seen) if plan.method == "gp" and not plan.second else seen


def _as_sampled(plan: Plan, trial: FrozenTrial) -> FrozenTrial | None:
    """One trial by its last attempt; None when nothing is known of it yet."""
    result = trial.user_attrs.get(RESULT)
    if result is None:
        if plan.pauses and trial.intermediate_values:
            return _changed(trial, state=TrialState.PRUNED)
        return trial if trial.state == TrialState.RUNNING else None
    if result["state"] in FAILED:
        return _changed(trial, state=TrialState.PRUNED, intermediate_values={})
    return trial


def _in_ranges(trial: FrozenTrial, ranges: Mapping[str, BaseDistribution]) -> FrozenTrial | None:
    """The trial with the ranges that hold now; None when its values do not lie in them."""
    now = {path: ranges[path] for path in trial.params if path in ranges}
    if now == trial.distributions:
        return trial
    if not all(_contains(now[path], trial.params[path]) for path in now):
        return None
    params = {path: trial.params[path] for path in now}
    return _changed(trial, params=params, distributions=now)


def _contains(distribution: BaseDistribution, value: Any) -> bool:
    if isinstance(distribution, CategoricalDistribution):
        return value in distribution.choices
    low, high = getattr(distribution, "low", value), getattr(distribution, "high", value)
    return bool(low <= value <= high)


def _all_complete(plan: Plan, trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """The trials for a method that learns from complete ones alone: each with what it has reached, or the worst of all.

    A trial that was pruned had little more to give, or it would have been promoted.
    """
    running = [trial for trial in trials if trial.state == TrialState.RUNNING]
    found = [(trial, _value(trial)) for trial in trials if trial.state != TrialState.RUNNING]
    values = [value for _, value in found if value is not None]
    if not values:
        return running
    worst = max(values) if plan.direction == "minimize" else min(values)
    return running + [
        _changed(trial, state=TrialState.COMPLETE, value=worst if value is None else value)
        for trial, value in found
    ]


def _value(trial: FrozenTrial) -> float | None:
    """The value that a trial has reached; None if it has none."""
    value = trial.value if trial.state == TrialState.COMPLETE else None
    if trial.intermediate_values and trial.state == TrialState.PRUNED:
        value = trial.intermediate_values[max(trial.intermediate_values)]
    return None if value is None or math.isnan(value) else value


def _changed(trial: FrozenTrial, **facts: Any) -> FrozenTrial:
    """A copy with other facts; the storage's own trials must stay as they are."""
    other = copy(trial)
    for name, value in facts.items():
        setattr(other, name, value)
    return other
