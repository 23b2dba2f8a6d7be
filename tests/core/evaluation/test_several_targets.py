"""Metrics of several predicted numbers are scikit-learn's means over them, and each has its own."""

import numpy as np
import pytest
from sklearn import metrics as reference

from core.errors import DataError
from core.evaluation import Predictions
from core.evaluation.metric_values import metric_values
from core.evaluation.number_report import regression_report

N = 60
NAMES = ("height", "weight", "age")


def predictions(weights: bool = False) -> Predictions:
    dice = np.random.default_rng(0)
    targets = dice.normal(size=(N, 3)) * [1, 100, 0.01] + [5, 1000, 1]
    scores = targets + dice.normal(size=(N, 3)) * [0.1, 40, 0.02]
    return Predictions(scores, targets, np.arange(N), False, weights=dice.random(N) if weights else None)


@pytest.mark.parametrize("weights", [False, True])
def test_means_and_single_targets(weights: bool) -> None:
    given = predictions(weights)
    report = regression_report(given, names=NAMES, split="test", seed=0, intervals=True)
    true, answers = given.targets, given.scores
    formulas = {
        "r2": reference.r2_score,
        "mae": reference.mean_absolute_error,
        "rmse": reference.root_mean_squared_error,
        "mape": reference.mean_absolute_percentage_error,
    }
    of_epoch = metric_values(given, list(formulas), ())
    for name, formula in formulas.items():
        mean = formula(true, answers, sample_weight=given.weights)
        assert report.metrics[name] == pytest.approx(mean, rel=1e-9)
        assert of_epoch[name] == pytest.approx(mean, rel=1e-9)
        for place, row in enumerate(report.per_target):
            single = formula(true[:, place], answers[:, place], sample_weight=given.weights)
            assert row[name] == pytest.approx(single, rel=1e-9)
    assert [row["name"] for row in report.per_target] == [*NAMES]
    of_means = np.tile(np.average(true, axis=0, weights=given.weights), (N, 1))
    wanted = reference.mean_absolute_error(true, of_means, sample_weight=given.weights)
    assert report.baseline["mae"] == pytest.approx(wanted, rel=1e-9)
    assert not report.intervals
    if not weights:
        low, high = report.target_intervals[1]["mae"]
        assert low < report.per_target[1]["mae"] < high  # type: ignore[operator]  # numbers
    reason = "samples have weights" if weights else "each of which has an interval"
    assert reason in report.no_interval["mae"]


def test_a_constant_target_leaves_the_mean_undefined_and_is_named() -> None:
    given = predictions()
    given.targets[:, 2] = 7.0
    report = regression_report(given, names=NAMES, split="test", seed=0, intervals=False)
    assert report.metrics["r2"] is None
    assert report.undefined["r2"] == "age: all targets are equal, so there is no variance to explain"
    assert report.per_target[0]["r2"] is not None
    assert np.isnan(metric_values(given, ["r2"], ())["r2"])


def test_one_target_has_no_rows_of_its_own() -> None:
    report = regression_report(predictions().of_target(0), split="test", seed=0, intervals=True)
    assert report.per_target == []
    assert report.intervals


def test_scores_and_targets_have_the_same_shape() -> None:
    with pytest.raises(DataError, match="float targets of their shape"):
        Predictions(np.zeros((3, 2)), np.zeros((3, 1)), np.arange(3), False)
