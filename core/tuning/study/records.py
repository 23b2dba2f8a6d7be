"""State of the trials of a study, and the events of a study."""

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from optuna.trial import FrozenTrial, TrialState

from core.tuning.search.methods import decode
from core.tuning.search.objectives import front
from core.tuning.search.plan import Plan
from core.tuning.study.attempts import (
    ORIGIN,
    PROMOTED,
    RESULT,
    RUN,
    SECONDS,
    attempts,
    is_waiting,
    places_in_line,
)
from core.tuning.study.curves import as_curve
from core.tuning.study.folder import StudyFolder

if TYPE_CHECKING:
    from core.tuning.study.selection import Selection

__all__ = [
    "ENDED",
    "StudyEvent",
    "StudyFinished",
    "StudyNotice",
    "StudyPaused",
    "StudyResumed",
    "StudyStarted",
    "TrialFinished",
    "TrialRecord",
    "TrialReported",
    "TrialStarted",
    "TrialStatus",
    "best_first",
    "epochs_spent",
    "goals_of",
    "keeps_limits",
    "pareto_front",
    "records_of",
]

ENDED = ("completed", "paused", "pruned", "diverged", "failed")
"""States of trials that no process trains now."""

GIVEN_UP = "given up"
"""How the reason of a pruned trial begins that waited at a milestone without hope."""

TrialStatus = Literal["running", "paused", "completed", "pruned", "diverged", "failed", "interrupted"]


@dataclass(frozen=True)
class TrialRecord:
    """State of one trial.

    Attributes:
        state: ``interrupted`` ones are run again by the next process that works on the study. ``paused`` ones wait at
            a milestone, or with the whole study: that the log of their run says, not the storage.
        params: values by path. value: the metric at the best epoch; None before there is one.
        epochs: done. curve: the metric after each epoch, NaN where it had none.
        reason: why it failed, was pruned or given up; one line. run: its run folder. seconds: in its worker.
        costs: the other numbers that the study weighs, by name.
        place: in the line of those that wait at a milestone, from 1; None for one that does not.
        promoted: the milestone, in epochs, from which it was trained on last; 0 before the first.
        origin: where its values are from, such as the current configuration; empty when they were drawn.
    """

    number: int
    state: TrialStatus
    params: dict[str, Any]
    value: float | None = None
    epochs: int = 0
    curve: tuple[float, ...] = ()
    reason: str = ""
    run: Path | None = None
    started: float = 0.0
    seconds: float = 0.0
    costs: dict[str, float] = field(default_factory=dict)
    place: int | None = None
    promoted: int = 0
    origin: str = ""

    @property
    def rests(self) -> bool:
        """Return whether no epoch of it is left to train now: it has ended, or waits at a milestone."""
        return self.done or self.place is not None

    @property
    def given_up(self) -> bool:
        """Return whether it waited at a milestone until too many others were better."""
        return self.state == "pruned" and self.reason.startswith(GIVEN_UP)

    @property
    def done(self) -> bool:
        """Return whether it has ended for good."""
        return self.state not in ("running", "paused", "interrupted")


@dataclass(frozen=True, kw_only=True)
class StudyEvent:
    """Base of all events of a study; `time` is seconds since 1970."""

    time: float = field(default_factory=time.time)


@dataclass(frozen=True, kw_only=True)
class StudyStarted(StudyEvent):
    """This process starts to work on a study.

    Attributes:
        finished: the trials that are done already.
        slots, threads: trials at once, and threads of each.
        timeout: seconds after which it stops; None for no limit.
    """

    study: str
    folder: Path
    plan: Plan
    slots: int
    threads: int
    finished: tuple[TrialRecord, ...]
    timeout: float | None = None


@dataclass(frozen=True, kw_only=True)
class TrialStarted(StudyEvent):
    """A trial is given to a worker."""

    trial: TrialRecord


@dataclass(frozen=True, kw_only=True)
class TrialReported(StudyEvent):
    """A trial has finished an epoch; `value` is its metric, None when it has none."""

    number: int
    epoch: int
    value: float | None


@dataclass(frozen=True, kw_only=True)
class TrialFinished(StudyEvent):
    """A trial has ended, for good unless it is ``interrupted`` or ``paused``."""

    trial: TrialRecord


@dataclass(frozen=True, kw_only=True)
class StudyNotice(StudyEvent):
    """Something worth telling in words."""

    level: Literal["info", "warning", "error"]
    message: str


@dataclass(frozen=True, kw_only=True)
class StudyPaused(StudyEvent):
    """The study was paused: no trial starts, and running ones wait after their batch."""


@dataclass(frozen=True, kw_only=True)
class StudyResumed(StudyEvent):
    """The pause has ended."""


@dataclass(frozen=True, kw_only=True)
class StudyFinished(StudyEvent):
    """This process has ended its work on the study.

    Attributes:
        status: ``stopped`` when trials are left for another time; ``failed`` when no trial completed.
        records: of all trials of the study. best: of those that completed.
        selection: on what the choice of the best one rests; see `core.tuning.study.selection`.
        front: with two objectives, the trials that no other beats in both.
        epochs_spent: of all trials. epochs_saved: those that pruned and paused ones were not trained.
    """

    status: Literal["completed", "stopped", "failed"]
    records: tuple[TrialRecord, ...]
    best: TrialRecord | None
    error: str = ""
    selection: "Selection | None" = None
    front: tuple[TrialRecord, ...] = ()
    epochs_spent: int = 0
    epochs_saved: int = 0


def records_of(plan: Plan, folder: StudyFolder, trials: Sequence[FrozenTrial]) -> list[TrialRecord]:
    """Every trial started so far, in the order of their numbers."""
    latest = attempts(trials)
    records = [_record(plan, folder, number, trial) for number, trial in latest.items()]
    return _lined_up(plan, latest, records) if plan.pauses else records


def _lined_up(
    plan: Plan, latest: Mapping[int, FrozenTrial], records: Iterable[TrialRecord]
) -> list[TrialRecord]:
    """Return the trials with their places in line; those without hope are pruned."""
    places, hopeless = places_in_line(plan, latest)
    return [
        replace(record, state="pruned", reason=f"{GIVEN_UP} after epoch {record.epochs}")
        if record.number in hopeless
        else replace(record, place=places.get(record.number))
        for record in records
    ]


def epochs_spent(plan: Plan, records: Iterable[TrialRecord]) -> tuple[int, int]:
    """Return how many epochs were trained, and how many were saved: those left of trials that pause or were pruned."""
    spent = saved = 0
    for record in records:
        spent += record.epochs
        if record.state in ("paused", "pruned"):
            whole = record.params.get("training.epochs", plan.space.base.training.epochs)
            saved += max(0, whole - record.epochs)
    return spent, saved


def best_first(plan: Plan, records: Iterable[TrialRecord]) -> list[TrialRecord]:
    """The trials that completed and keep to the limits, the best one first; of equals the earlier one.

    With two objectives those come first that no other beats in both, ordered by the metric, like the others after them.
    """
    sign = 1 if plan.direction == "minimize" else -1
    completed = (record for record in records if record.state == "completed" and record.value is not None)
    keeping = [record for record in completed if keeps_limits(plan, record)]
    ranked = sorted(keeping, key=lambda record: (sign * (record.value or 0.0), record.number))
    first = pareto_front(plan, ranked)
    return [*first, *(record for record in ranked if record not in first)] if first else ranked


def keeps_limits(plan: Plan, record: TrialRecord) -> bool:
    """Return whether a trial keeps to all limits of its study."""
    numbers = {**record.costs, plan.metric: record.value}
    return all(limit.holds(numbers.get(limit.name)) for limit in plan.limits)


def pareto_front(plan: Plan, records: Iterable[TrialRecord]) -> list[TrialRecord]:
    """The trials that no other beats in both objectives, the best in the metric first; none with one objective."""
    if not plan.second:
        return []
    known = [(record, goals) for record in records if (goals := goals_of(plan, record)) is not None]
    return [known[at][0] for at in front([goals for _, goals in known])]


def goals_of(plan: Plan, record: TrialRecord) -> tuple[float, float] | None:
    """Return both objectives of a trial, of which less is better; None where it has none or misses a limit."""
    if record.state != "completed" or record.value is None or plan.second not in record.costs:
        return None
    if not keeps_limits(plan, record):
        return None
    signs = [1 if way == "minimize" else -1 for way in (plan.direction, plan.second_direction)]
    return signs[0] * record.value, signs[1] * record.costs[plan.second]


def _record(plan: Plan, folder: StudyFolder, number: int, trial: FrozenTrial) -> TrialRecord:
    result = trial.user_attrs.get(RESULT)
    run, began = trial.user_attrs.get(RUN), trial.datetime_start
    common: dict[str, Any] = {
        "number": number,
        "params": decode(plan.space, trial.params),
        "run": folder.trial_run(str(run)) if run else None,
        "started": began.timestamp() if began else 0.0,
        "promoted": trial.user_attrs.get(PROMOTED, 0),
        "origin": trial.user_attrs.get(ORIGIN, ""),
    }
    if result is not None:
        curve = tuple(math.nan if value is None else value for value in result["curve"])
        facts = {key: result[key] for key in ("state", "value", "epochs", "reason", "seconds")}
        return TrialRecord(**common, **facts, curve=curve, costs=result.get("costs", {}))
    state: TrialStatus = (
        "running" if trial.state == TrialState.RUNNING else "paused" if is_waiting(trial) else "interrupted"
    )
    values = trial.intermediate_values
    curve = as_curve(values) if plan.pauses else tuple(values[epoch] for epoch in sorted(values))
    seconds = trial.user_attrs.get(SECONDS, 0.0)
    return TrialRecord(**common, state=state, epochs=len(curve), curve=curve, seconds=seconds)
