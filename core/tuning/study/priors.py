"""Prior knowledge: what is known before a study draws values: points to try first, and the trials of other studies."""

import math
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from optuna.trial import FrozenTrial, TrialState, create_trial

from core.config.schema import FAMILIES, TrainConfig
from core.counting import counted
from core.errors import ConfigError
from core.runs.folder import Run
from core.tuning.search.methods import distributions_of, encode
from core.tuning.search.milestones import best_so_far
from core.tuning.search.plan import Plan
from core.tuning.search.points import point_of
from core.tuning.study.attempts import LEARNED_FROM
from core.tuning.study.claims import Claims
from core.tuning.study.presence import Presence
from core.tuning.study.records import TrialRecord
from core.tuning.study.storage import writing
from core.tuning.study.study import TuningStudy

__all__ = [
    "BY_HAND",
    "add_trial",
    "learn_from",
    "learned_from",
    "start_of",
    "start_with",
    "start_with_current",
]

BY_HAND = "added by hand"
CURRENT = "the current configuration"


def add_trial(study: TuningStudy, point: dict[str, Any], origin: str = BY_HAND) -> int:
    """Add a trial with these values, by path; others are drawn. Whoever works on the study trains it next.

    Returns:
        Its number. It counts as one of the study's trials; where all of them have started, there is one more.

    Raises:
        ConfigError: the study is a grid.
    """
    if study.plan.method == "grid":
        raise ConfigError("a grid tries its own combinations, and no others", "Take another method")
    with writing(study.name), closing(Presence(study.folder, study.optuna)) as presence:
        number = Claims(study, presence).add(encode(point), origin)
        trials = study.plan_now().trials
        if trials is not None and number >= trials:
            study.with_trials(number + 1)
    return number


def start_with_current(study: TuningStudy) -> str:
    """Make the current configuration the first trial, as far as it lies inside the space; return what is reported."""
    point, outside = point_of(study.plan.space, study.plan.space.base)
    if study.plan.method == "grid" or not point:
        return ""
    add_trial(study, point, CURRENT)
    drawn = f"; drawn are {', '.join(outside)}, which lie outside of their ranges" if outside else ""
    return f"trial 0 has the values of the current configuration{drawn}"


def start_with(study: TuningStudy, run: Run) -> str:
    """Add a trial with the values of a run; return what is reported.

    Raises:
        ConfigError: none of them lies inside the space.
    """
    point, outside = start_of(study.plan, run)
    number = add_trial(study, point, f"as {run.id}")
    drawn = f"; drawn are {', '.join(outside)}, which lie outside of their ranges" if outside else ""
    return f"trial {number} has the values of {run.id}{drawn}"


def start_of(plan: Plan, run: Run) -> tuple[dict[str, Any], list[str]]:
    """Return the values of a run that lie inside the space of a plan, and the paths of those that do not.

    Raises:
        ConfigError: there are none.
    """
    point, outside = point_of(plan.space, run.config())
    if not point:
        raise ConfigError(
            f"start-with: no value of {run.id} lies inside the search space", "Widen the ranges"
        )
    return point, outside


def learn_from(study: TuningStudy, other: TuningStudy) -> str:
    """Let the search method know the trials of another study that lie in this one's space; return what is reported.

    Raises:
        ConfigError: its trials cannot be compared with this study's, or none lies inside the space.
    """
    found, count = learned_from(study.plan, other)
    known = {trial.user_attrs.get(LEARNED_FROM) for trial in study.optuna.get_trials(deepcopy=False)}
    if other.name in known:
        return f"{other.name} is known already"
    with writing(study.name):
        study.optuna.add_trials(found)
    return f"the search knows {len(found)} of {counted(count, 'trial')} of {other.name}"


def learned_from(plan: Plan, other: TuningStudy) -> tuple[list[FrozenTrial], int]:
    """Return the trials of another study that lie in the space of a plan, as Optuna's, and how many it has.

    Raises:
        ConfigError: they cannot be compared with those of the plan, or none lies inside the space.
    """
    reason = _not_comparable(plan, other.plan)
    records = [record for record in other.records() if record.rests]
    found = [] if reason else [trial for record in records if (trial := _learned(plan, other, record))]
    if not found:
        raise ConfigError(
            f"learn-from: {other.name}: {reason or 'none of its trials lies inside this search space'}",
            "Leave it out",
        )
    return found, len(records)


def _not_comparable(ours: Plan, theirs: Plan) -> str:
    """Return why no trial of another study can be compared with those of this one; empty if they can."""
    if ours.second or theirs.second:
        return "a study with two objectives neither learns nor is learned from"
    if (ours.metric, ours.direction) != (theirs.metric, theirs.direction):
        return f"it would {theirs.direction} {theirs.metric}, not {ours.direction} {ours.metric}"
    if ours.space.base.data != theirs.space.base.data:
        return "its data is another, or is split in another way"
    if not set(ours.space.domains) & set(theirs.space.domains):
        return f"it searches none of {', '.join(ours.space.domains)}"
    return ""


def _learned(plan: Plan, other: TuningStudy, record: TrialRecord) -> FrozenTrial | None:
    """A trial of another study as one of Optuna's; None when it does not lie in this study's space."""
    space, config = plan.space, other.config(record)
    point, outside = point_of(space, config)
    if outside or _names(config, point) != _names(space.config(point), point):
        return None
    ranges = distributions_of(space)
    facts: dict[str, Any] = {
        "params": encode(point),
        "distributions": {path: ranges[path] for path in point},
        "user_attrs": {LEARNED_FROM: other.name},
    }
    if record.state == "completed":
        return create_trial(state=TrialState.COMPLETE, value=record.value, **facts)
    reached = best_so_far(record.curve, plan.direction)
    bad = record.state in ("failed", "diverged") or math.isnan(reached)
    values = {} if bad else {record.epochs: reached}
    return create_trial(state=TrialState.PRUNED, intermediate_values=values, **facts)


def _names(config: TrainConfig, point: dict[str, Any]) -> Sequence[object]:
    """The choices that give the searched values their meaning, such as which optimizer."""
    sections = {path.partition(".")[0] for path in point}
    return [getattr(getattr(config, section), "name", None) for section in FAMILIES if section in sections]
