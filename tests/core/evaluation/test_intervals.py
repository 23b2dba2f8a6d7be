"""Intervals against the values of textbooks and other implementations, and where a model makes no mistakes."""

import numpy as np
import pytest
from scipy import stats

from core.evaluation import ClassCounts, Predictions
from core.evaluation.classification import averages
from core.evaluation.intervals import unbiased
from core.evaluation.intervals.areas import area_intervals, mean_of_classes, precision_intervals
from core.evaluation.intervals.classification import weighted_intervals
from core.evaluation.intervals.counts import matrix_intervals
from core.evaluation.intervals.proportions import f1_intervals, proportion_intervals
from core.tasks.evaluation import evaluate


def perfect(n: int, classes: int, confidence: float = 0.98) -> Predictions:
    targets = np.arange(n) % classes
    scores = np.full((n, classes), (1 - confidence) / (classes - 1))
    scores[np.arange(n), targets] = confidence
    return Predictions(scores, targets, np.arange(n), probabilities=True)


@pytest.mark.parametrize(("hits", "n"), [(20, 20), (10, 10), (0, 10), (36, 36), (7, 19), (999, 1000)])
def test_proportions_have_the_exact_interval_of_clopper_and_pearson(hits: int, n: int) -> None:
    low, high = proportion_intervals(np.array(hits), np.array(n))
    expected = stats.binomtest(hits, n).proportion_ci(method="exact")

    assert (float(low), float(high)) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_a_proportion_of_nothing_can_be_anything() -> None:
    low, high = proportion_intervals(np.array([0, 3]), np.array([0, 3]))

    assert (low.tolist()[0], high.tolist()[0]) == (0, 1)


def test_the_interval_of_f1_is_that_of_its_proportion() -> None:
    low, high = f1_intervals(np.array(30), np.array(36), np.array(34))  # 30 hits of 40 samples in question
    exact = stats.binomtest(30, 40).proportion_ci(method="exact")

    assert float(low) == pytest.approx(2 * exact.low / (1 + exact.low))
    assert float(high) == pytest.approx(2 * exact.high / (1 + exact.high))
    assert float(low) < 2 * 30 / 70 < float(high)


def test_the_interval_of_an_area_is_where_its_own_error_reaches_the_one_found() -> None:
    low, high = (float(end[0]) for end in area_intervals(np.array([0.9]), np.array([30]), np.array([40])))

    for true in (low, high):  # Hanley and McNeil 1982, with mean sample sizes as Newcombe 2006 has them
        spare = 70 / 2 - 1
        variance = (
            true * (1 - true) * (1 + spare * (1 - true) / (2 - true) + spare * true / (1 + true)) / 1200
        )
        assert abs(0.9 - true) == pytest.approx(1.959964 * np.sqrt(variance), rel=1e-4)
    assert low < 0.9 < high


def test_no_mistake_leaves_room_for_one() -> None:
    report = evaluate(perfect(36, 3), task="multiclass", class_names=["a", "b", "c"], split="test")

    assert report.intervals["accuracy"] == pytest.approx([0.902606, 1], abs=1e-6)
    for name, value in report.metrics.items():
        if value == 1:
            low, high = report.intervals[name]
            assert 0.5 < low < 0.99, name
            assert high == pytest.approx(1)
    assert report.intervals["log_loss"][1] > 3 * report.metrics["log_loss"]  # type: ignore[operator]  # it is defined
    assert [row["recall"] for row in report.class_intervals] == [pytest.approx([0.735352, 1], abs=1e-6)] * 3


def test_metrics_of_the_whole_matrix_have_ends_that_accuracy_has_exactly() -> None:
    rng = np.random.default_rng(0)
    for matrix in (np.diag([20, 20]), np.array([[40, 3], [5, 52]])):
        hits, n = np.trace(matrix), matrix.sum()
        expected = stats.binomtest(int(hits), int(n)).proportion_ci(method="exact")
        found = matrix_intervals(matrix, rng)["accuracy"]
        assert found == pytest.approx([expected.low, expected.high], abs=0.015)


def test_too_few_samples_of_a_class_give_a_reason_for_areas() -> None:
    targets = np.array([0] * 30 + [1] * 3)
    scores = np.stack([1 - targets * 0.6 - 0.2, targets * 0.6 + 0.2], axis=1)
    report = evaluate(
        Predictions(scores, targets, np.arange(33), True),
        task="binary",
        class_names=["no", "yes"],
        split="test",
    )

    assert report.no_interval["roc_auc"] == "a class has 3 samples, fewer than the 5 that an interval needs"
    assert "roc_auc" not in report.intervals
    assert "roc_auc" not in report.class_intervals[1]
    assert report.metrics["roc_auc"] == 1


def test_one_large_error_gives_a_reason_for_squares() -> None:
    rng = np.random.default_rng(3)
    targets = rng.normal(size=200)
    scores = targets + 0.1 * rng.normal(size=200)
    calm = evaluate(
        Predictions(scores, targets, np.arange(200), False), task="regression", class_names=(), split="test"
    )
    scores[7] += 50
    wild = evaluate(
        Predictions(scores, targets, np.arange(200), False), task="regression", class_names=(), split="test"
    )

    assert {"rmse", "r2", "mae"} <= calm.intervals.keys()
    assert {"rmse", "r2"} == wild.no_interval.keys()
    assert wild.no_interval["rmse"].startswith("one error makes up 100 % of the squared error")


@pytest.mark.slow
def test_intervals_of_errors_hold_where_their_tail_is_heavy() -> None:
    """One of 100 errors is ten times as large; most splits of 50 samples have none of those."""
    rng = np.random.default_rng(5)
    covered = {"rmse": 0, "r2": 0, "mae": 0}
    true = {"rmse": np.sqrt(1.99), "r2": 1 - 1.99 / 2.99, "mae": np.sqrt(2 / np.pi) * 1.09}
    for _ in range(150):
        signal = rng.normal(size=50)
        residual = rng.normal(size=50) * np.where(rng.random(50) < 0.01, 10, 1)
        report = evaluate(
            Predictions(signal, signal + residual, np.arange(50), False),
            task="regression",
            class_names=(),
            split="test",
        )
        for name, value in true.items():
            low, high = report.intervals.get(name, (0, 0))
            covered[name] += low <= value <= high

    assert min(covered.values()) >= 0.9 * 150, covered


def test_squares_of_few_samples_have_a_reason() -> None:
    targets = np.arange(29.0)
    few = evaluate(
        Predictions(targets + np.cos(targets), targets, np.arange(29), False),
        task="regression",
        class_names=(),
        split="test",
    )
    assert {"mae"} == few.intervals.keys()
    assert few.no_interval["r2"].startswith("29 samples are too few to tell how large the largest errors are")


def test_classes_that_share_mistakes_are_not_taken_for_independent() -> None:
    low, value, high = np.array([0.8, 0.8]), np.array([0.9, 0.9]), np.array([0.95, 0.95])

    assert mean_of_classes(low, value, high) == pytest.approx([0.8, 0.95])
    four = mean_of_classes(np.full(4, 0.8), np.full(4, 0.9), np.full(4, 0.95))
    assert four == pytest.approx([0.9 - 0.1 / np.sqrt(2), 0.9 + 0.05 / np.sqrt(2)])


def test_a_perfect_average_precision_has_a_low_end_like_that_of_a_proportion() -> None:
    low, high = precision_intervals(
        np.array([1.0]), np.array([0.0]), np.array([25]), np.array([0.5]), np.random.default_rng(0)
    )
    proportion = stats.binomtest(25, 25).proportion_ci(method="exact").low

    assert high.tolist() == [1]
    assert proportion < float(low[0]) < 1  # a sample found by chance costs half of what a miss does
    assert 1 - float(low[0]) == pytest.approx((1 - proportion) / 2, rel=0.1)


@pytest.mark.slow
@pytest.mark.parametrize(("n", "skill"), [(20, 4.4), (50, 2.3), (100, 4.4)])
def test_intervals_cover(n: int, skill: float) -> None:
    """Binormal scores, whose true metrics are known; 200 draws, of which 93 % of the intervals must cover."""
    rng = np.random.default_rng(11)
    accuracy, area = stats.norm.cdf(skill / 2), stats.norm.cdf(skill / np.sqrt(2))
    covered = {"accuracy": 0, "roc_auc": 0}
    for _ in range(200):
        targets = np.arange(n) % 2
        odds = skill * (rng.normal(size=n) + skill * targets) - skill**2 / 2
        second = 1 / (1 + np.exp(-odds))
        predictions = Predictions(np.stack([1 - second, second], axis=1), targets, np.arange(n), True)
        report = evaluate(predictions, task="binary", class_names=["0", "1"], split="test")
        for name, true in (("accuracy", accuracy), ("roc_auc", area)):
            low, high = report.intervals[name]
            covered[name] += low <= true <= high

    assert min(covered.values()) >= 0.93 * 200, covered


@pytest.mark.slow
def test_the_calibration_error_stands_beside_that_of_a_calibrated_model() -> None:
    rng = np.random.default_rng(0)
    second = rng.beta(2, 2, size=60)
    errors = []
    for _ in range(300):
        happened = (rng.random(60) < second).astype(np.int64)
        scores = np.stack([1 - second, second], axis=1)
        report = evaluate(
            Predictions(scores, happened, np.arange(60), True),
            task="binary",
            class_names=["no", "yes"],
            split="test",
            intervals=False,
        )
        errors.append(report.metrics["ece"])

    assert report.baseline["ece"] == pytest.approx(np.mean(np.array(errors, dtype=float)), rel=0.05)


def of_many_classes(classes: int, n: int, seed: int) -> np.ndarray:
    """A confusion matrix of classes that 3 of 4 samples are right in, the mistakes spread over 20 others."""
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, classes, n)
    predicted = np.where(rng.random(n) < 0.75, targets, (targets + rng.integers(1, 21, n)) % classes)
    return np.bincount(targets * classes + predicted, minlength=classes**2).reshape(classes, classes)


def test_a_mean_of_f1_over_many_classes_lies_within_its_interval() -> None:
    """It falls with each resampling, so percentiles of a bootstrap would all be below it."""
    for classes, n in ((100, 1500), (300, 4500)):
        matrix = of_many_classes(classes, n, 0)
        value = float(averages(ClassCounts.of(matrix))["f1_macro"])
        low, high = matrix_intervals(matrix, np.random.default_rng(0))["f1_macro"]
        assert low + 0.2 * (high - low) < value < high - 0.2 * (high - low)
        assert low < 0.75 < high, "the true one"


@pytest.mark.heavy
def test_intervals_of_f1_over_many_classes_cover() -> None:
    held = 0
    for seed in range(20):
        low, high = matrix_intervals(of_many_classes(60, 900, seed), np.random.default_rng(seed))["f1_macro"]
        held += low <= 0.75 <= high
    assert held >= 17, held


def test_a_mean_over_many_classes_of_few_samples_has_a_reason() -> None:
    matrix = of_many_classes(60, 150, 1)
    values = {name: float(value) for name, value in averages(ClassCounts.of(matrix)).items()}
    found = weighted_intervals(values, matrix, 150.0, np.random.default_rng(0))
    assert "classes have fewer than 5 samples" in found.missing["f1_macro"]
    assert "classes have fewer than 5 samples" in found.missing["balanced_accuracy"]
    assert {"accuracy", "f1_weighted"} <= found.found.keys()
    assert not {"f1_macro", "recall_macro"} & found.found.keys()


def test_an_interval_moves_by_the_bias_of_its_draws_and_once_more() -> None:
    assert unbiased([0.4, 0.6], 0.01) == [0.4, 0.6]
    assert unbiased([0.4, 0.6], -0.1) == pytest.approx([0.5, 0.8])
    assert unbiased([0.4, 0.6], 0.1) == pytest.approx([0.2, 0.5])
