"""Metrics of predicted numbers equal scikit-learn's, and are None where they have no value."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike
from sklearn import metrics as reference

from core.evaluation import Predictions, Report, error_quantiles, residuals
from core.tasks.evaluation import evaluate

steady = settings(max_examples=150, derandomize=True, deadline=None)


def predictions_of(predicted: ArrayLike, targets: ArrayLike) -> Predictions:
    true = np.asarray(targets, dtype=np.float64)
    return Predictions(np.asarray(predicted, dtype=np.float64), true, np.arange(len(true)), False)


def report_of(predicted: ArrayLike, targets: ArrayLike, intervals: bool = False) -> Report:
    return evaluate(
        predictions_of(predicted, targets),
        task="regression",
        class_names=(),
        split="validation",
        intervals=intervals,
    )


@st.composite
def pairs(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Predictions and targets: random, rounded to ties and zeros, or all targets equal."""
    n = draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    targets = rng.normal(100, 50, size=n).round(draw(st.sampled_from([-2, 0, 9])))
    if draw(st.booleans()):
        targets[:] = targets[0]
    return targets + rng.normal(size=n).round(draw(st.sampled_from([0, 9]))), targets


@pytest.mark.slow
@steady
@given(pairs())
def test_metrics_are_those_of_scikit_learn_or_none(sample: tuple[np.ndarray, np.ndarray]) -> None:
    predicted, targets = sample
    report = report_of(predicted, targets)

    assert report.metrics["mae"] == pytest.approx(reference.mean_absolute_error(targets, predicted), abs=1e-9)
    rmse = reference.root_mean_squared_error(targets, predicted)
    assert report.metrics["rmse"] == pytest.approx(rmse, abs=1e-9)
    if len(set(targets)) == 1:
        assert report.metrics["r2"] is None
        assert report.undefined["r2"]
    else:
        assert report.metrics["r2"] == pytest.approx(reference.r2_score(targets, predicted), rel=1e-9)
    if (targets == 0).any():
        assert report.metrics["mape"] is None
        assert "zero" in report.undefined["mape"]
    else:
        mape = reference.mean_absolute_percentage_error(targets, predicted)
        assert report.metrics["mape"] == pytest.approx(mape, abs=1e-9)


def test_one_sample_has_no_r2_but_errors() -> None:
    report = report_of([3.0], [1.0], intervals=True)

    assert report.metrics == {"r2": None, "mae": 2.0, "rmse": 2.0, "mape": 2.0}
    assert report.undefined == {"r2": "R2 needs at least two samples"}


def test_baseline_is_the_mean_of_the_targets() -> None:
    report = report_of([1.0, 2.0, 3.0], [0.5, 2.5, 6.0])

    assert report.baseline["description"] == "always 3, the mean"
    assert report.baseline["r2"] == pytest.approx(0)
    assert report.baseline["mae"] == pytest.approx(2)
    assert report.baseline["rmse"] == pytest.approx(np.std([0.5, 2.5, 6.0]))


def test_errors_too_large_to_square_are_undefined_not_infinite() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = report_of([1e200, 0.0] * 2000, [1.0, -1e200] * 2000, intervals=True)

    assert report.metrics["rmse"] is None
    assert report.metrics["mae"] == pytest.approx(1e200)
    assert "too large" in report.undefined["rmse"]
    assert report.intervals.keys() <= {"mae", "mape"}


def test_a_perfect_model_has_a_reason_in_place_of_intervals_without_width() -> None:
    report = report_of([1.0, 2.0, 4.0, 5.0, 9.0], [1.0, 2.0, 4.0, 5.0, 9.0], intervals=True)

    assert report.intervals == {}
    assert set(report.no_interval.values()) == {"all errors are 0, which does not show how they vary"}
    assert report.no_interval.keys() == report.metrics.keys()


def test_residuals_are_targets_minus_predictions_in_float64() -> None:
    residual = residuals(
        Predictions(np.array([1.5, 3.0], np.float32), np.array([2.0, 1.0], np.float32), np.arange(2), False)
    )

    assert residual.dtype == np.float64
    assert residual.tolist() == [0.5, -2.0]


def test_error_quantiles_are_of_absolute_errors() -> None:
    quantiles = error_quantiles(np.array([-4.0, 1.0, 2.0, -3.0, 0.0]), levels=(0.0, 0.5, 1.0))

    assert quantiles == {0.0: 0.0, 0.5: 2.0, 1.0: 4.0}


@pytest.mark.slow
def test_intervals_hold_those_of_resampling_the_samples() -> None:
    rng = np.random.default_rng(5)
    targets = rng.gamma(4, 10, size=200)
    predicted = targets + rng.normal(0, 6, size=200)
    report = report_of(predicted, targets, intervals=True)

    draws = rng.integers(0, 200, size=(2000, 200))
    resampled = {
        "r2": [reference.r2_score(targets[d], predicted[d]) for d in draws],
        "mae": [reference.mean_absolute_error(targets[d], predicted[d]) for d in draws],
        "rmse": [reference.root_mean_squared_error(targets[d], predicted[d]) for d in draws],
        "mape": [reference.mean_absolute_percentage_error(targets[d], predicted[d]) for d in draws],
    }
    for name, values in resampled.items():
        low, high = np.percentile(values, [2.5, 97.5])
        found = report.intervals[name]
        margin = 0.12 * (high - low)
        if name == "r2":
            assert found[0] < low + margin
        else:
            assert found[0] == pytest.approx(low, abs=margin)
        assert high - margin < found[1], "errors larger than those seen are allowed for"
