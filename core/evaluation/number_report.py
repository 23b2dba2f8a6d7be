"""The report of a regression model."""

import numpy as np

from core.evaluation.influence import centred
from core.evaluation.intervals import Interval, mean_offsets, shifted
from core.evaluation.predictions import Predictions
from core.evaluation.regression import regression_metrics, residuals
from core.evaluation.report import Report
from core.evaluation.values import Array, Floats, Undefined, Value


# Squares of errors near the end of the range of a 64-bit number overflow; those metrics come out undefined.
@np.errstate(over="ignore", invalid="ignore")
def regression_report(predictions: Predictions, *, split: str, seed: int, intervals: bool) -> Report:
    """Evaluate checked predictions (n,); see ``core.evaluation.evaluate``."""
    targets, residual = predictions.targets, residuals(predictions)
    values = _within_range(regression_metrics(targets, residual))
    mean = float(targets.mean(dtype=np.float64))
    of_mean = _within_range(regression_metrics(targets, targets.astype(np.float64) - mean))
    known: dict[str, float | str] = {
        name: value for name, value in of_mean.items() if not isinstance(value, Undefined)
    }
    return Report(
        task="regression",
        split=split,
        n=len(predictions),
        class_names=[],
        metrics={name: None if isinstance(value, Undefined) else value for name, value in values.items()},
        undefined={name: value.reason for name, value in values.items() if isinstance(value, Undefined)},
        intervals=_intervals(values, targets, residual, np.random.default_rng(seed)) if intervals else {},
        baseline={"description": f"always {mean:g}, the mean", **known},
        per_class=[],
        confusion=[],
    )


def _intervals(
    values: dict[str, Value], targets: Array, residual: Floats, rng: np.random.Generator
) -> dict[str, Interval]:
    defined = {name: value for name, value in values.items() if not isinstance(value, Undefined)}
    weights = np.ones(len(residual))
    squared = residual**2
    influences = {}
    if "mae" in defined:
        influences["mae"] = centred(np.abs(residual), weights)
    if "mape" in defined:
        influences["mape"] = centred(np.abs(residual / targets), weights)
    if "rmse" in defined:
        influences["rmse"] = centred(squared, weights)
    if "r2" in defined:
        # On the logarithm of the unexplained part 1 - R2, which makes room for a long tail downwards.
        deviation = (targets - targets.mean(dtype=np.float64)) ** 2
        influences["r2"] = squared / (squared.mean() or 1.0) - deviation / deviation.mean()
    if not influences:
        return {}
    offsets = mean_offsets(np.stack(list(influences.values()), axis=1), weights, rng)
    intervals = {
        name: _around(name, defined[name], offset) for name, offset in zip(influences, offsets.T, strict=True)
    }
    return {name: interval for name, interval in intervals.items() if np.isfinite(interval).all()}


def _around(metric: str, value: float, offsets: Floats) -> Interval:
    if metric == "rmse":
        low, high = np.sqrt(shifted(value**2, offsets)).tolist()
    elif metric == "r2":
        high, low = (1 - (1 - value) * np.exp(offsets)).tolist()
    else:
        low, high = shifted(value, offsets)
    return [low, high]


def _within_range(values: dict[str, Value]) -> dict[str, Value]:
    too_large = Undefined("the errors are too large for a 64-bit number")
    return {
        name: value if isinstance(value, Undefined) or np.isfinite(value) else too_large
        for name, value in values.items()
    }
