"""The report of a regression model."""

import numpy as np

from core.evaluation.intervals.classification import WEIGHTED, Intervals
from core.evaluation.intervals.regression import regression_intervals
from core.evaluation.predictions import Predictions
from core.evaluation.regression import regression_metrics, residuals
from core.evaluation.report import Report
from core.evaluation.values import Undefined, Value
from core.evaluation.weighted import effective_size, mean_of


# Squares of errors near the end of the range of a 64-bit number overflow; those metrics come out undefined.
@np.errstate(over="ignore", invalid="ignore")
def regression_report(predictions: Predictions, *, split: str, seed: int, intervals: bool) -> Report:
    """Evaluate checked predictions (n,); see ``core.evaluation.evaluate``."""
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
