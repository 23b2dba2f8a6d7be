"""When a study has done enough: pure functions of its trials."""

import math
import re
from collections.abc import Iterable, Sequence
from statistics import fmean

from core.counting import counted
from core.tuning.search.objectives import dominated
from core.tuning.search.plan import Plan
from core.tuning.study.records import TrialRecord, epochs_spent, goals_of, keeps_limits

__all__ = [
    "SAME_FAILURES",
    "beyond_limits",
    "enough",
    "noise_of",
    "same_failure",
    "seconds_left",
    "without_improvement",
]

SAME_FAILURES = 50
"""So many trials that all fail in the same way end a study early: fewer may have missed a small region that works."""
NUMBER = re.compile(r"[-+]?\d[\d.,]*(?:e[-+]?\d+)?", re.IGNORECASE)
LEAST_EPOCHS = 4
"""Fewer do not show the noise of a curve."""
BEST_PART = 4
"""Noise is that of the best epochs, one in so many."""


def enough(plan: Plan, records: Sequence[TrialRecord], session: int) -> str:
    """Return why no more trials should start, in one line; empty while they should.

    Args:
        session: how many trials ended since this process resumed the study: patience starts anew then.
    """
    if plan.max_epochs is not None:
        spent, _ = epochs_spent(plan, records)
        if spent >= plan.max_epochs:
            return f"{spent:,} epochs were trained, of {plan.max_epochs:,} at most"
    if plan.patience and session >= plan.patience:
        count, noise = without_improvement(plan, records)
        if count >= plan.patience and plan.second:
            return f"each of the last {count} trials is beaten by an earlier one in {plan.metric} and {plan.second}"
        if count >= plan.patience:
            trials = counted(count, "trial")
            return f"the last {trials} did not improve {plan.metric} by more than its noise, {noise:.2g}"
    return ""


def seconds_left(
    plan: Plan, records: Sequence[TrialRecord], *, session: int, at_once: int, until_end: float | None
) -> float | None:
    """Estimate when a study ends, by the limit that comes first; patience as if nothing better were found.

    Args:
        session: as for `enough`.
        at_once: trials at once.
        until_end: seconds until its time is over; None for no limit.

    Returns:
        Seconds; None while there is nothing to estimate from.
    """
    rest = [record for record in records if record.rests]
    took = sum(record.seconds for record in rest)
    spent = sum(record.epochs for record in rest)
    ends = [] if until_end is None else [until_end]
    if took:
        trials = [] if plan.trials is None else [plan.trials - len(rest)]
        if plan.patience:
            count, _ = without_improvement(plan, rest)
            trials.append(plan.patience - min(session, count))
        ends += [left * took / len(rest) / at_once for left in trials]
        if plan.max_epochs is not None and spent:
            ends.append((plan.max_epochs - spent) * took / spent / at_once)
    return max(0.0, min(ends)) if ends else None


def without_improvement(plan: Plan, records: Iterable[TrialRecord]) -> tuple[int, float]:
    """Return how many trials have ended since one was better than the best before by more than the noise, and that.

    Trials that failed, wait at a milestone or miss a limit, count. The noise is that of the best trial's best
    epochs. With
    two objectives a trial is better than those before it where none of them beats it in both.
    """
    if plan.second:
        return _without_new_front(plan, records), 0.0
    sign = 1 if plan.direction == "minimize" else -1
    best, noise, count = math.inf, 0.0, 0
    for record in records:
        if not record.rests:
            continue
        value = math.inf if record.value is None else sign * record.value
        count += 1
        if value < best - noise and record.state == "completed" and keeps_limits(plan, record):
            best, count, noise = value, 0, noise_of(record.curve, plan.direction)
    return count, noise


def _without_new_front(plan: Plan, records: Iterable[TrialRecord]) -> int:
    known: list[tuple[float, float]] = []
    count = 0
    for record in records:
        if record.rests:
            goals = goals_of(plan, record)
            is_new = goals is not None and not dominated(goals, known)
            count = 0 if is_new else count + 1
            known += [goals] if goals is not None else []
    return count


def beyond_limits(plan: Plan, records: Iterable[TrialRecord]) -> str:
    """Return that trials completed and none kept to all limits of the study, and how near they came; else empty."""
    completed = [record for record in records if record.state == "completed"]
    if not completed or any(keeps_limits(plan, record) for record in completed):
        return ""
    near = []
    for limit in plan.limits:
        values = [{**record.costs, plan.metric: record.value}.get(limit.name) for record in completed]
        known = [value for value in values if value is not None]
        if known and not any(map(limit.holds, known)):
            nearest = min(known) if limit.sign in ("<", "<=") else max(known)
            near.append(f"the nearest has {limit.name} {nearest:.6g}")
    limits = " and ".join(map(str, plan.limits))
    return ", ".join([f"none of {counted(len(completed), 'trial')} that completed keeps to {limits}", *near])


def noise_of(curve: Sequence[float], direction: str = "minimize") -> float:
    """Return the standard deviation of the best quarter of a curve's epochs around a straight line.

    0 for a curve of fewer than four epochs, or with one that has no value. The other epochs say nothing of how far
    chance moves the best one: a curve may fall steeply before it, and rise out of sight after it.
    """
    if len(curve) < LEAST_EPOCHS or not all(map(math.isfinite, curve)):
        return 0.0
    ranked = sorted(range(len(curve)), key=lambda epoch: curve[epoch], reverse=direction == "maximize")
    epochs = ranked[: max(LEAST_EPOCHS, len(curve) // BEST_PART)]
    values = [curve[epoch] for epoch in epochs]
    middle, mean = fmean(epochs), fmean(values)
    spread = sum((epoch - middle) ** 2 for epoch in epochs)
    slope = sum((epoch - middle) * value for epoch, value in zip(epochs, values, strict=True)) / spread
    rests = [value - mean - slope * (epoch - middle) for epoch, value in zip(epochs, values, strict=True)]
    return math.sqrt(sum(rest * rest for rest in rests) / (len(rests) - 2))


def same_failure(records: Iterable[TrialRecord]) -> str:
    """Return the reason with which all trials that have ended failed, numbers in it aside; empty if they differ."""
    ended = [record for record in records if record.rests]
    reasons = {NUMBER.sub("#", record.reason) for record in ended}
    same = len(reasons) == 1 and all(record.state in ("failed", "diverged") for record in ended)
    return ended[-1].reason if same else ""
