"""Charts of the errors of predicted numbers, each a function of the predictions and their residuals (n,)."""

from collections.abc import Callable, Sequence

import numpy as np

from core.evaluation import Predictions
from core.evaluation.error_views import Bin, bins_of, normal_quantiles
from core.evaluation.values import Floats
from tui.charts.plot_chart import Chart, Series
from tui.terminal.themes import BLUE, ORANGE

__all__ = ["VIEWS"]

MAX_POINTS = 20_000
"""Maximum number of dots: more would only fill the chart."""


def _residuals(predictions: Predictions, residual: Floats) -> Chart:
    predicted = predictions.scores
    every = _step(predicted)
    ends = (float(predicted.min()), float(predicted.max()))
    return Chart(
        series=(
            Series("", ends, (0.0, 0.0)),
            Series("residual", predicted[::every], residual[::every], BLUE, style="points"),
        ),
        x_label="prediction",
        y_label="residual",
    )


def _predicted_and_true(predictions: Predictions, residual: Floats) -> Chart:
    every = _step(residual)
    both = (predictions.scores, predictions.targets)
    ends = (min(float(each.min()) for each in both), max(float(each.max()) for each in both))
    return Chart(
        series=(
            Series("", ends, ends),
            Series("target", predictions.scores[::every], predictions.targets[::every], BLUE, style="points"),
        ),
        x_label="prediction",
        y_label="target",
    )


def _normal(predictions: Predictions, residual: Floats) -> Chart:
    across, up = normal_quantiles(residual, predictions.weights)
    every = _step(residual)
    ends = np.array([across[0], across[-1]])
    return Chart(
        series=(
            Series("", ends, residual.mean() + residual.std() * ends),
            Series("residual", across[::every], up[::every], BLUE, style="points"),
        ),
        x_label="normal quantile",
        y_label="residual",
    )


def _by_prediction(predictions: Predictions, residual: Floats) -> Chart:
    return _by(bins_of(predictions.scores, residual, predictions.weights), "prediction")


def _by_target(predictions: Predictions, residual: Floats) -> Chart:
    return _by(bins_of(predictions.targets, residual, predictions.weights), "target")


def _by(bins: Sequence[Bin], what: str) -> Chart:
    """Mean absolute error of each bin with its interval, and the mean error."""
    middle = np.array([(each.low + each.high) / 2 for each in bins])
    low, high = (
        np.array([each.interval[end] if each.interval else np.nan for each in bins]) for end in (0, 1)
    )
    mae, bias = np.array([each.mae for each in bins]), np.array([each.bias for each in bins])
    ends = (float(middle[0]), float(middle[-1]))
    return Chart(
        series=(
            Series("", ends, (0.0, 0.0)),
            Series("", middle, low),
            Series("", middle, high),
            Series("mean error", middle, bias, ORANGE),
            Series("MAE", middle, mae, BLUE),
            Series("", middle, mae, BLUE, "●", "points"),
        ),
        x_label=what,
        y_label="error",
    )


def _step(values: Floats) -> int:
    return max(1, len(values) // MAX_POINTS)


VIEWS: tuple[tuple[str, Callable[[Predictions, Floats], Chart]], ...] = (
    ("target − prediction", _residuals),
    ("target against prediction", _predicted_and_true),
    ("residuals against normal ones (Q-Q)", _normal),
    ("error by prediction: ● MAE within 95 %, ━ mean error", _by_prediction),
    ("error by target: ● MAE within 95 %, ━ mean error", _by_target),
)
"""Title of each side that errors are seen from, and its chart."""
