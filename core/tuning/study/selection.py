"""The best of many trials: on how many samples the choice rests, and which other trials are level with it."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import RunDamaged
from core.evaluation.intervals import Interval
from core.evaluation.paired import MAX_CELLS, paired_differences, same_samples
from core.evaluation.predictions import Predictions
from core.evaluation.report import Report
from core.inference.stored import load_evaluation
from core.runs.folder import Run
from core.tuning.study.records import TrialRecord

__all__ = ["Selection", "compared_metric", "selection"]

MAX_COMPARED = 100
"""Number of trials, the best first, that are compared with the best one."""
OF_LOSS = ("log_loss", "rmse")
"""Metrics of an evaluation that stand for a loss, which samples alone do not give."""


@dataclass(frozen=True)
class Selection:
    """Facts of the choice of the best trial.

    Attributes:
        trial: its number. trials: how many completed, among which it is the best.
        samples: of validation, on which the choice rests.
        metric: by which trials are compared sample by sample: that of the study, or for a loss what stands for it.
        value: of the best trial. interval: its 95 % interval had it not been chosen; None where there is none.
        level: numbers of the trials that are not clearly worse on the same samples, the best first.
        unknown: how many more were compared where samples are too few to tell, or predictions lack.
    """

    trial: int
    trials: int
    samples: int
    metric: str
    value: float
    interval: Interval | None
    level: tuple[int, ...]
    unknown: int = 0


def selection(ranked: Sequence[TrialRecord], metric: str) -> Selection | None:
    """Return the facts of the choice of the first of some completed trials; None where it was not evaluated.

    Args:
        ranked: the best one first.
        metric: of the study.
    """
    best = _stored(ranked[0], in_full=True) if ranked else None
    if best is None:
        return None
    predictions, report = best
    compared = compared_metric(report, metric)
    if compared is None or not len(predictions):
        return None
    found = {
        record.number: _is_level(record, predictions, compared, (report.metrics[compared], len(ranked) - 1))
        for record in ranked[1 : MAX_COMPARED + 1]
    }
    level = tuple(number for number, is_level in found.items() if is_level)
    unknown = sum(is_level is None for is_level in found.values())
    value, interval = report.metrics[compared] or 0.0, report.intervals.get(compared)
    return Selection(
        ranked[0].number, len(ranked), len(predictions), compared, value, interval, level, unknown
    )


def _stored(record: TrialRecord, *, in_full: bool = False) -> tuple[Predictions, Report] | None:
    """The predictions on validation that a trial left; None if there are none or too many to compare.

    Args:
        in_full: with intervals, which trials leave out.
    """
    if record.run is None:
        return None
    run = Run(record.run)
    folder = run.evaluation_folder("validation")
    try:
        if in_full:
            evaluation = load_evaluation(run, "validation")
            predictions, report = evaluation.predictions, evaluation.report
        else:
            predictions = Predictions.load(folder / "predictions.npz")
            report = Report.load(folder / "report.json")
    except (OSError, RunDamaged):
        return None
    return (predictions, report) if predictions.scores.size <= MAX_CELLS else None


def compared_metric(report: Report, metric: str) -> str | None:
    """Return the metric of an evaluation that stands for that of a study; None where it has none."""
    names = OF_LOSS if metric == "loss" else (metric,)
    return next((name for name in names if report.metrics.get(name) is not None), None)


def _is_level(
    record: TrialRecord, best: Predictions, metric: str, of_best: tuple[float | None, int]
) -> bool | None:
    """Return whether a trial is not clearly worse; None where no test tells."""
    found, (top, comparisons) = _stored(record), of_best
    if found is None or top is None or not same_samples(found[0], best):
        return None
    value = found[1].metrics.get(metric)
    if value is None:
        return None
    difference = paired_differences(found[0], best, {metric: value - top}, comparisons).get(metric)
    return None if difference is None else not difference.is_clear
