"""The report of a regression model."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.evaluation.intervals.classification import WEIGHTED, Intervals
from core.evaluation.intervals.regression import regression_intervals
from core.evaluation.predictions import Predictions
from core.evaluation.regression import regression_metrics, residuals
from core.evaluation.report import Report
from core.evaluation.values import Undefined, Value
from core.evaluation.weighted import effective_size, mean_of

MEAN = "it is a mean over targets, each of which has an interval of its own"


def regression_report(
    predictions: Predictions, *, names: Sequence[str] = (), split: str, seed: int, intervals: bool
) -> Report:
    """Evaluate checked predictions (n,), or (n, k) of several targets; see ``core.tasks.evaluation.evaluate``.

    Of several targets the metrics are means over them, as scikit-learn's by default, and each has a row of its own.

    Args:
        names: of the targets; by default their numbers.
    """
    if predictions.target_count == 1:
        return _of_one(predictions, split=split, seed=seed, intervals=intervals)
    places = range(predictions.target_count)
    single = [
        _of_one(predictions.of_target(place), split=split, seed=seed, intervals=intervals) for place in places
    ]
    shown = list(names) or [f"target {place + 1}" for place in places]
    metrics: dict[str, float | None] = {}
    undefined: dict[str, str] = {}
    for name in single[0].metrics:
        values = [report.metrics[name] for report in single]
        known = [value for value in values if value is not None]
        metrics[name] = float(np.mean(known)) if len(known) == len(values) else None
        if len(known) < len(values):
            lacking = values.index(None)
            undefined[name] = f"{shown[lacking]}: {single[lacking].undefined[name]}"
    baseline: dict[str, float | str] = {"description": "always the mean of each target"}
    for name in metrics:
        of_means = [report.baseline.get(name) for report in single]
        if metrics[name] is not None and None not in of_means:
            baseline[name] = float(np.mean(np.array(of_means, dtype=np.float64)))
    return replace(
        single[0],
        metrics=metrics,
        undefined=undefined,
        intervals={},
        no_interval={
            name: MEAN if any(name in report.intervals for report in single) else single[0].no_interval[name]
            for name, value in metrics.items()
            if value is not None and intervals
        },
        baseline=baseline,
        per_target=[{"name": name, **report.metrics} for name, report in zip(shown, single, strict=True)],
        target_intervals=[report.intervals for report in single],
    )


# Squares of errors near the end of the range of a 64-bit number overflow; those metrics come out undefined.
@np.errstate(over="ignore", invalid="ignore")
def _of_one(predictions: Predictions, *, split: str, seed: int, intervals: bool) -> Report:
    """Evaluate the predictions (n,) of one target."""
    targets, residual, weights = predictions.targets, residuals(predictions), predictions.weights
    values = _within_range(regression_metrics(targets, residual, weights))
    mean = mean_of(targets.astype(np.float64), weights)
    of_mean = _within_range(regression_metrics(targets, targets.astype(np.float64) - mean, weights))
    known: dict[str, float | str] = {
        name: value for name, value in of_mean.items() if not isinstance(value, Undefined)
    }
    defined = {name: value for name, value in values.items() if not isinstance(value, Undefined)}
    found = Intervals()
    if intervals and weights is not None:
        found = Intervals(missing=dict.fromkeys(defined, WEIGHTED))
    elif intervals:
        found = regression_intervals(defined, targets, residual, np.random.default_rng(seed))
    return Report(
        task="regression",
        split=split,
        n=len(predictions),
        class_names=[],
        metrics={name: defined.get(name) for name in values},
        undefined={name: value.reason for name, value in values.items() if isinstance(value, Undefined)},
        intervals=found.found,
        no_interval=found.missing,
        baseline={"description": f"always {mean:g}, the mean", **known},
        per_class=[],
        confusion=[],
        effective_n=None if weights is None else effective_size(weights),
    )


def _within_range(values: dict[str, Value]) -> dict[str, Value]:
    too_large = Undefined("the errors are too large for a 64-bit number")
    return {
        name: value if isinstance(value, Undefined) or np.isfinite(value) else too_large
        for name, value in values.items()
    }
