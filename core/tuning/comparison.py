"""Studies side by side: how many trials each took, and how good its best one is."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.config import schema as configuration
from core.tuning.confirm.result import Confirmed, confirmation, welch_p
from core.tuning.study.records import TrialRecord, best_first, pareto_front
from core.tuning.study.study import TuningStudy

__all__ = ["StudyFacts", "difference", "not_comparable", "study_facts"]


@dataclass(frozen=True)
class StudyFacts:
    """Facts of what a study has tried and found.

    Attributes:
        trials: that are done, by their state. epochs: of all trials. seconds: of all trials, in their workers.
        best: the trial that came out best in the search. median: of those that completed.
        second: another objective; empty for none. front: the trials that no other beats in both objectives.
        winner: the trial with the best mean over other seeds; None where the study was not confirmed.
        data: of all its trials, as plain values.
    """

    name: str
    method: str
    pruner: str
    metric: str
    direction: str
    trials: dict[str, int]
    epochs: int
    seconds: float
    best: TrialRecord | None
    median: float | None
    winner: Confirmed | None
    second: str
    front: tuple[TrialRecord, ...]
    data: dict[str, Any]


def study_facts(study: TuningStudy) -> StudyFacts:
    """Return the facts of a study.

    Raises:
        RunDamaged: its storage cannot be read.
    """
    plan, records = study.plan_now(), study.records()
    ranked = best_first(plan, records)
    states = [record.state for record in records]
    again = confirmation(study)
    return StudyFacts(
        name=study.name,
        method=plan.method,
        pruner=plan.pruner,
        metric=plan.metric,
        direction=plan.direction,
        trials={state: states.count(state) for state in dict.fromkeys(states)},
        epochs=sum(record.epochs for record in records),
        seconds=sum(record.seconds for record in records),
        best=ranked[0] if ranked else None,
        median=statistics.median(record.value or 0.0 for record in ranked) if ranked else None,
        winner=again.best if again else None,
        second=plan.second,
        front=tuple(pareto_front(plan, records)),
        data=configuration.to_dict(plan.space.base)["data"],
    )


def not_comparable(studies: Sequence[StudyFacts]) -> str:
    """Return why the values of some studies cannot be compared; empty where they can."""
    first = studies[0]
    if any(study.data != first.data for study in studies):
        return "these studies do not have the same data"
    if any(study.metric != first.metric for study in studies):
        return "these studies do not have the same metric"
    return ""


def difference(left: StudyFacts, right: StudyFacts) -> float | None:
    """Return the p-value of equal means of two winners, by Welch's t-test over their seeds; None without them."""
    if left.winner is None or right.winner is None:
        return None
    return welch_p(left.winner.values, right.winner.values)
