"""Lines of ``tui train --json`` and ``tui tune --json`` that stand beside the events of a run's log."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from tui.headless.documents.envelope import Document

if TYPE_CHECKING:
    from core.session.repeats import Spread
    from core.tuning.confirm.result import Confirmation
    from core.tuning.study.records import StudyFinished, TrialFinished, TrialRecord

__all__ = [
    "FoldsLine",
    "SeedsLine",
    "StudyConfirmedLine",
    "StudyFinishedLine",
    "TrialConfirmedLine",
    "TrialFinishedLine",
    "confirmed_line",
    "spreads",
    "study_line",
    "trial_line",
]


@dataclass(frozen=True, kw_only=True)
class Line(Document):
    """Base of these lines; `time` is seconds since 1970."""

    is_line = True
    time: float = field(default_factory=time.time)


@dataclass(frozen=True, kw_only=True)
class RepeatsLine(Line):
    """The last line of several runs.

    Attributes:
        status: ``completed``, or that of the last run which is not.
        metrics: of validation, each with ``mean``, ``deviation`` and ``values``. runs: their ids.
    """

    status: str
    completed: int
    metrics: dict[str, dict[str, Any]]
    runs: list[str]


@dataclass(frozen=True, kw_only=True)
class FoldsLine(RepeatsLine):
    """The last line of a cross-validation.

    Attributes:
        folds: asked for. samples: of validation in all folds together. intervals: 95 % intervals of their metrics.
    """

    kind = "folds_finished"
    folds: int
    samples: int
    intervals: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class SeedsLine(RepeatsLine):
    """The last line of several seeds; `seeds` were asked for, `test` is like `metrics`."""

    kind = "seeds_finished"
    seeds: int
    test: dict[str, dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class StudyLine(Line):
    """Base of the lines of a study, whose name it is."""

    study: str


@dataclass(frozen=True, kw_only=True)
class TrialFinishedLine(StudyLine):
    """A trial that has ended, or waits at a milestone.

    Attributes:
        trial: its number. value: the metric at the best epoch. params: by the path of the setting.
        costs: other numbers that the study weighs. place: in the line of those that wait. promoted: the milestone, in
            epochs, from which it was trained on last. origin: where its values are from; empty when they were drawn.
    """

    kind = "trial_finished"
    trial: int
    state: str
    params: dict[str, Any]
    value: float | None
    epochs: int
    reason: str
    run: str | None
    started: float
    seconds: float
    costs: dict[str, float | None]
    place: int | None
    promoted: int
    origin: str


@dataclass(frozen=True, kw_only=True)
class StudyFinishedLine(StudyLine):
    """The end of the work on a study.

    Attributes:
        trials: that are done, counted by state below it.
        epochs_saved: those that pruned and paused trials were not trained.
        best: ``value params trial run``; null where none completed. front: with two objectives, the trials that no
            other beats in both. selection: on what the choice rests, see docs/numbers.md.
    """

    kind = "study_finished"
    status: str
    trials: int
    completed: int
    paused: int
    pruned: int
    diverged: int
    failed: int
    epochs_spent: int
    epochs_saved: int
    best: dict[str, Any] | None
    front: list[dict[str, Any]]
    selection: dict[str, Any] | None
    error: str


@dataclass(frozen=True, kw_only=True)
class TrialConfirmedLine(StudyLine):
    """A run that trains a trial again with another seed."""

    kind = "trial_confirmed"
    trial: int
    seed: int
    state: str
    value: float | None
    run: str | None


@dataclass(frozen=True, kw_only=True)
class StudyConfirmedLine(StudyLine):
    """The end of confirming a study.

    Attributes:
        done, runs: runs that have ended, and all.
        rows: of each trial ``trial found runs failed values mean deviation optimism p best_run``, the best first.
        winner: the trial with the best mean. level: trials that are not clearly worse. test: of the winner.
    """

    kind = "study_confirmed"
    done: int
    runs: int
    metric: str
    rows: list[dict[str, Any]]
    winner: int | None
    level: Sequence[int]
    test: dict[str, Any] | None


def trial_line(event: "TrialFinished", study: str) -> TrialFinishedLine:
    """Return the line of a trial that has ended."""
    record = event.trial
    facts = {key: value for key, value in asdict(record).items() if key not in ("number", "curve", "run")}
    return TrialFinishedLine(time=event.time, study=study, trial=record.number, run=_run(record), **facts)


def study_line(event: "StudyFinished", study: str) -> StudyFinishedLine:
    """Return the line of the end of the work on a study."""
    from core.tuning.study.records import ENDED

    best, states = event.best, [str(record.state) for record in event.records]
    front = [
        {"trial": one.number, "value": one.value, **one.costs, "params": one.params, "run": _run(one)}
        for one in event.front
    ]
    found = None
    if best is not None:
        found = {"value": best.value, "params": best.params, "trial": best.number, "run": _run(best)}
    return StudyFinishedLine(
        time=event.time,
        study=study,
        status=event.status,
        trials=sum(record.rests for record in event.records),
        **{state: states.count(state) for state in ENDED},
        epochs_spent=event.epochs_spent,
        epochs_saved=event.epochs_saved,
        best=found,
        front=front,
        selection=asdict(event.selection) if event.selection else None,
        error=event.error,
    )


def confirmed_line(found: "Confirmation", study: str) -> StudyConfirmedLine:
    """Return the line of the end of confirming a study."""
    facts = {
        name: value for name, value in asdict(found).items() if name not in ("metric", "level", "winner")
    }
    facts["rows"] = list(facts["rows"])
    return StudyConfirmedLine(
        study=study,
        done=found.done,
        runs=found.total,
        metric=found.metric,
        winner=found.winner,
        level=found.level,
        **facts,
    )


def spreads(values: "Mapping[str, Spread]") -> dict[str, dict[str, Any]]:
    """Return the spread of each metric as plain values."""
    return {name: asdict(each) for name, each in values.items()}


def _run(record: "TrialRecord") -> str | None:
    return str(record.run) if record.run else None
