"""Metrics of predicted numbers. Errors are in the unit of the target."""

from collections.abc import Sequence

import numpy as np

from core.evaluation.predictions import Predictions
from core.evaluation.values import Array, Floats, Undefined, Value
from core.evaluation.weighted import mean_of

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def residuals(predictions: Predictions) -> Floats:
    """float64 (n,) or (n, k): target minus prediction, in the target's unit; positive where the model is too low."""
    return np.subtract(predictions.targets, predictions.scores, dtype=np.float64)


def error_quantiles(residual: Floats, levels: Sequence[float] = QUANTILES) -> dict[float, float]:
    """The absolute error not exceeded by each share (0 to 1) of the samples, linear between samples."""
    return dict(zip(levels, np.quantile(np.abs(residual), levels).tolist(), strict=True))


def number_metrics(predictions: Predictions) -> dict[str, Value]:
    """Return the metrics of predicted numbers (n,), or the means over several targets (n, k)."""
    single = [
        regression_metrics(each.targets, residuals(each), each.weights)
        for each in map(predictions.of_target, range(predictions.target_count))
    ]
    return single[0] if len(single) == 1 else {name: _mean(name, single) for name in single[0]}


def _mean(name: str, single: Sequence[dict[str, Value]]) -> Value:
    values = [metrics[name] for metrics in single]
    lacking = next((value for value in values if isinstance(value, Undefined)), None)
    return lacking or float(np.mean([value for value in values if not isinstance(value, Undefined)]))


def regression_metrics(targets: Array, residual: Floats, weights: Floats | None = None) -> dict[str, Value]:
    """``r2``, ``mae``, ``rmse`` and ``mape`` (a fraction, not per cent) of n > 0 samples, by weights (n,) if any.

    R2 is 1 minus the squared error over that of always predicting the mean: at most 1, negative if worse.
    """
    squared = float(residual @ residual) if weights is None else float(weights @ residual**2)
    total = len(residual) if weights is None else float(weights.sum())
    return {
        "r2": _r2(targets.astype(np.float64), squared, weights),
        "mae": mean_of(np.abs(residual), weights),
        "rmse": float(np.sqrt(squared / total)),
        "mape": _mape(targets.astype(np.float64), residual, weights),
    }


def _r2(targets: Floats, squared_error: float, weights: Floats | None) -> Value:
    if len(targets) < 2:
        return Undefined("R2 needs at least two samples")
    counted = targets if weights is None else targets[weights > 0]
    if counted.min() == counted.max():
        return Undefined("all targets are equal, so there is no variance to explain")
    deviation = targets - mean_of(targets, weights)
    spread = deviation @ deviation if weights is None else weights @ deviation**2
    if not spread:
        return Undefined("the targets differ by too little for the square of a 64-bit number")
    return 1.0 - squared_error / float(spread)


def _mape(targets: Floats, residual: Floats, weights: Floats | None) -> Value:
    zeros = int(np.count_nonzero(np.abs(targets) < np.finfo(np.float64).eps))
    if zeros:
        verb = "target is" if zeros == 1 else "targets are"
        return Undefined(f"{zeros:,} {verb} zero, and an error relative to zero has no value")
    return mean_of(np.abs(residual / targets), weights)
