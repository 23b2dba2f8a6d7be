"""Results of the runs that confirm a study: a mean for each trial, the winner, and which trials are level with it."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from scipy.special import stdtr

from core.errors import TorchtuiError
from core.evaluation.intervals import Interval
from core.inference.stored import saved_evaluation
from core.runs.folder import Run
from core.tuning.confirm.study import SEED, TRIAL, ConfirmStudy, open_confirmation
from core.tuning.search.plan import Plan
from core.tuning.study.records import TrialRecord
from core.tuning.study.selection import compared_metric
from core.tuning.study.study import TuningStudy

__all__ = ["Confirmation", "Confirmed", "Tested", "confirmation", "result_of", "welch_p"]

LEVEL = 0.05
"""Two trials are level unless a difference as large as theirs is rarer than this by chance."""


@dataclass(frozen=True)
class Confirmed:
    """A trial that is trained again.

    Attributes:
        trial: its number. found: its value in the study.
        runs: how many are asked for. failed: how many of them gave no value.
        values: of those that completed, in the order of their seeds.
        mean, deviation: of the values; the sample standard deviation. None of too few.
        optimism: by how much the study's value was better than the mean.
        p: how likely means at least as far apart as the winner's and its own are by chance, by Welch's t-test; None
            for the winner, and where there are too few values.
        best_run: the run folder with its best value.
    """

    trial: int
    found: float
    runs: int
    failed: int
    values: tuple[float, ...]
    mean: float | None
    deviation: float | None
    optimism: float | None
    p: float | None = None
    best_run: Path | None = None

    @property
    def complete(self) -> bool:
        """Return whether all of its runs have a value."""
        return len(self.values) == self.runs


@dataclass(frozen=True)
class Tested:
    """The winner's network on the test split, which nothing else of the study has seen.

    Attributes:
        metric: that of the study, or what stands for it. run: the network's run folder.
    """

    metric: str
    value: float
    interval: Interval | None
    samples: int
    run: Path


@dataclass(frozen=True)
class Confirmation:
    """All trials that are trained again, the best one of the study first.

    Attributes:
        winner: number of the trial with the best mean; None until all runs are done.
        level: numbers of the trials that are not clearly worse than it.
        test: of the winner; None until it is evaluated.
    """

    metric: str
    rows: tuple[Confirmed, ...]
    winner: int | None
    level: tuple[int, ...]
    test: Tested | None = None

    @property
    def done(self) -> int:
        """Number of runs that have ended."""
        return sum(len(row.values) + row.failed for row in self.rows)

    @property
    def total(self) -> int:
        """Number of runs."""
        return sum(row.runs for row in self.rows)

    @property
    def best(self) -> Confirmed | None:
        """The winner's row."""
        return next((row for row in self.rows if row.trial == self.winner), None)


def confirmation(study: TuningStudy) -> Confirmation | None:
    """Return what is known so far; None if the study was never to be confirmed.

    Raises:
        RunDamaged: its storage cannot be read.
    """
    runs = open_confirmation(study)
    return None if runs is None else result_of(runs, study.records())


def result_of(study: ConfirmStudy, trials: Sequence[TrialRecord]) -> Confirmation:
    """Return what the runs show.

    Args:
        trials: of the study that is confirmed.
    """
    plan = study.plan
    found = {record.number: record for record in trials}
    by_trial: dict[int, list[TrialRecord]] = {}
    for record in study.records():
        by_trial.setdefault(record.params[TRIAL], []).append(record)
    wanted = [trial for trial, _ in study.runs]
    rows = [
        _row(plan, found[trial], by_trial.get(trial, []), wanted.count(trial))
        for trial in dict.fromkeys(wanted)
        if trial in found
    ]
    if any(len(row.values) + row.failed < row.runs for row in rows):
        return Confirmation(plan.metric, tuple(rows), None, ())
    winner = _winner(plan, rows)
    if winner is None:
        return Confirmation(plan.metric, tuple(rows), None, ())
    rows = [row if row is winner else _against(row, winner) for row in rows]
    level = tuple(row.trial for row in rows if row.p is not None and row.p >= LEVEL)
    return Confirmation(plan.metric, tuple(rows), winner.trial, level, _tested(winner, plan.metric))


def welch_p(left: Sequence[float], right: Sequence[float]) -> float | None:
    """Return the two-sided p-value of Welch's t-test (1947) for equal means; None with fewer than two values.

    Without any spread it is 1 for equal means and 0 otherwise.
    """
    if min(len(left), len(right)) < 2:
        return None
    parts = [statistics.variance(values) / len(values) for values in (left, right)]
    difference = statistics.fmean(left) - statistics.fmean(right)
    if not sum(parts):
        return float(difference == 0)
    freedom = sum(parts) ** 2 / sum(
        part**2 / (len(values) - 1) for part, values in zip(parts, (left, right), strict=True)
    )
    return float(2 * stdtr(freedom, -abs(difference) / sum(parts) ** 0.5))


def _row(plan: Plan, trial: TrialRecord, runs: Sequence[TrialRecord], wanted: int) -> Confirmed:
    runs = sorted(runs, key=lambda record: record.params[SEED])
    known = [record for record in runs if record.state == "completed" and record.value is not None]
    values = tuple(record.value for record in known if record.value is not None)
    mean = statistics.fmean(values) if values else None
    value = trial.value if trial.value is not None else float("nan")
    gain = None
    if mean is not None:  # what is left of equal numbers is rounding error
        sign = 1 if plan.direction == "minimize" else -1
        gain = 0.0 if math.isclose(mean, value, rel_tol=1e-12) else sign * (mean - value)
    top = None
    for record in known:
        if top is None or plan.better(record.value or 0.0, top.value or 0.0):
            top = record
    return Confirmed(
        trial=trial.number,
        found=value,
        runs=wanted,
        failed=sum(record.done for record in runs) - len(known),
        values=values,
        mean=mean,
        deviation=statistics.stdev(values) if len(values) > 1 else None,
        optimism=gain,
        best_run=top.run if top else None,
    )


def _winner(plan: Plan, rows: Sequence[Confirmed]) -> Confirmed | None:
    """Return the row with the best mean; one of whose runs failed only where all have some that did."""
    known = [row for row in rows if row.complete] or [row for row in rows if row.values]
    sign = 1 if plan.direction == "minimize" else -1
    return min(known, key=lambda row: sign * (row.mean or 0.0), default=None)


def _against(row: Confirmed, winner: Confirmed) -> Confirmed:
    return replace(row, p=welch_p(row.values, winner.values))


def _tested(winner: Confirmed, metric: str) -> Tested | None:
    if winner.best_run is None:
        return None
    try:
        evaluation = saved_evaluation(Run(winner.best_run), "test")
    except TorchtuiError:
        return None
    if evaluation is None:
        return None
    report = evaluation.report
    name = compared_metric(report, metric)
    value = report.metrics.get(name) if name else None
    if name is None or value is None:
        return None
    return Tested(name, value, report.intervals.get(name), report.n, winner.best_run)
