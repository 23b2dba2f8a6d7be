"""The report of a regression model."""

import numpy as np

from core.evaluation.influence import centred
from core.evaluation.intervals import Interval, mean_offsets, shifted
from core.evaluation.predictions import Predictions
from core.evaluation.regression import regression_metrics, residuals
from core.evaluation.report import Report
from core.evaluation.values import Array, Floats, Undefined, Value


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
    influences = {}
    if "mae" in defined:
        influences["mae"] = centred(np.abs(residual), weights)
    if "rmse" in defined:
        influences["rmse"] = centred(residual**2, weights)
    if "mape" in defined:
        influences["mape"] = centred(np.abs(residual / targets), weights)
    if "r2" in defined:
        deviation = (targets - targets.mean(dtype=np.float64)) ** 2
        influences["r2"] = ((1 - defined["r2"]) * deviation - residual**2) / deviation.mean()
    if not influences:
        return {}
    offsets = dict(
        zip(
            influences, mean_offsets(np.stack(list(influences.values()), axis=1), weights, rng).T, strict=True
        )
    )
    found = {
        name: shifted(defined[name], offset) for name, offset in offsets.items() if name in ("mae", "mape")
    }
    if "rmse" in offsets:
        found["rmse"] = np.sqrt(shifted(defined["rmse"] ** 2, offsets["rmse"])).tolist()
    if "r2" in offsets:
        found["r2"] = (defined["r2"] + offsets["r2"]).tolist()
    return found


def _within_range(values: dict[str, Value]) -> dict[str, Value]:
    too_large = Undefined("the errors are too large for a 64-bit number")
    return {
        name: value if isinstance(value, Undefined) or np.isfinite(value) else too_large
        for name, value in values.items()
    }
