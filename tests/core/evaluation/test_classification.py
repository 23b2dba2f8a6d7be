"""Metrics of predicted classes equal scikit-learn's, and are None where scikit-learn warns."""

import warnings
from collections.abc import Callable
from functools import partial
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference
from sklearn.calibration import calibration_curve as reference_calibration

from core.evaluation import (
    ClassCounts,
    Predictions,
    Report,
    calibration_curve,
    confusion_matrix,
    expected_calibration_error,
    most_confident_mistakes,
    most_confused,
    normalise,
    samples_in_cell,
)
from core.evaluation.classification import log_losses, top_k_hits
from core.tasks.evaluation import evaluate

steady = settings(max_examples=150, derandomize=True, deadline=None)


@st.composite
def classified(draw: st.DrawFn) -> Predictions:
    """Probabilities, coarse with ties or fine, and targets that may lack classes or be all the same."""
    classes = draw(st.integers(2, 7))
    occurring = draw(st.lists(st.integers(0, classes - 1), min_size=1, max_size=classes, unique=True))
    targets = draw(st.lists(st.sampled_from(occurring), min_size=1, max_size=40))
    levels = draw(st.sampled_from([2, 5, 10**6]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    scores = rng.integers(0, levels, size=(len(targets), classes)) + 1e-3
    scores /= scores.sum(axis=1, keepdims=True)
    return Predictions(scores, np.array(targets), np.arange(len(targets)), probabilities=True)


def without_warning(function: Callable[[], float]) -> float | None:
    """Return the value of scikit-learn, None where it warns that the value is made up."""
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always")
        value = function()
    return None if raised else value


def report_of(predictions: Predictions) -> Report:
    classes = predictions.scores.shape[1]
    return evaluate(
        predictions,
        task="binary" if classes == 2 else "multiclass",
        class_names=[f"class {label}" for label in range(classes)],
        split="test",
        intervals=False,
    )


def test_values_of_a_confusion_matrix_known_by_hand() -> None:
    counts = ClassCounts.of(np.array([[3, 1, 0], [1, 2, 0], [0, 1, 0]]))

    np.testing.assert_allclose(counts.precision, [3 / 4, 2 / 4, np.nan])
    np.testing.assert_allclose(counts.recall, [3 / 4, 2 / 3, 0])
    np.testing.assert_allclose(counts.f1, [3 / 4, 4 / 7, 0])


@pytest.mark.slow
@steady
@given(classified())
def test_averages_are_those_of_scikit_learn_or_none_where_it_warns(predictions: Predictions) -> None:
    report = report_of(predictions)
    true, predicted = predictions.targets, predictions.predicted

    assert report.metrics["accuracy"] == pytest.approx(reference.accuracy_score(true, predicted), abs=1e-9)
    for name in ("precision", "recall", "f1"):
        function = getattr(reference, f"{name}_score")
        for average in ("macro", "micro"):
            expected = without_warning(partial(function, true, predicted, average=average))
            assert report.metrics[f"{name}_{average}"] == pytest.approx(expected, abs=1e-9)
    # A class without samples has weight zero, whatever scikit-learn warns about its recall.
    for name in ("recall", "f1"):
        expected = getattr(reference, f"{name}_score")(true, predicted, average="weighted", zero_division=0)
        assert report.metrics[f"{name}_weighted"] == pytest.approx(expected, abs=1e-9)
    expected = without_warning(lambda: reference.precision_score(true, predicted, average="weighted"))
    assert report.metrics["precision_weighted"] == pytest.approx(expected, abs=1e-9)


@pytest.mark.slow
@steady
@given(classified())
def test_chance_corrected_metrics_are_those_of_scikit_learn_or_none(predictions: Predictions) -> None:
    report = report_of(predictions)
    true, predicted = predictions.targets, predictions.predicted
    constant_targets, constant_predictions = len(set(true)) == 1, len(set(predicted)) == 1

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        balanced = reference.balanced_accuracy_score(true, predicted)
        kappa = reference.cohen_kappa_score(true, predicted)
    assert report.metrics["balanced_accuracy"] == pytest.approx(balanced, abs=1e-9)
    if constant_targets or constant_predictions:
        assert report.metrics["mcc"] is None
        assert "of one class" in report.undefined["mcc"]
    else:
        mcc = reference.matthews_corrcoef(true, predicted)
        assert report.metrics["mcc"] == pytest.approx(mcc, abs=1e-9)
    if constant_targets and (true == predicted).all():
        assert report.metrics["cohen_kappa"] is None
    else:
        assert report.metrics["cohen_kappa"] == pytest.approx(kappa, abs=1e-9)


@pytest.mark.slow
@steady
@given(classified())
def test_per_class_values_are_those_of_scikit_learn(predictions: Predictions) -> None:
    labels = np.arange(predictions.scores.shape[1])
    expected = reference.precision_recall_fscore_support(
        predictions.targets, predictions.predicted, labels=labels, zero_division=np.nan
    )

    for row, *values in zip(report_of(predictions).per_class, *expected, strict=True):
        for key, value in zip(("precision", "recall", "f1", "support"), values, strict=True):
            assert row[key] == (None if np.isnan(value) else pytest.approx(value, abs=1e-9))


@pytest.mark.slow
@steady
@given(classified())
def test_confusion_matrix_is_that_of_scikit_learn_and_empty_rows_have_no_shares(
    predictions: Predictions,
) -> None:
    labels = np.arange(predictions.scores.shape[1])
    matrix = confusion_matrix(predictions.predicted, predictions.targets, len(labels))

    shares: list[tuple[Literal["row", "column", "total"] | None, str | None]] = [
        (None, None),
        ("row", "true"),
        ("column", "pred"),
        ("total", "all"),
    ]
    for by, mode in shares:
        expected = reference.confusion_matrix(
            predictions.targets, predictions.predicted, labels=labels, normalize=mode
        )
        ours = normalise(matrix, by) if by else matrix
        np.testing.assert_allclose(np.nan_to_num(ours), expected, atol=1e-9)
    assert np.isnan(normalise(matrix, "row")).all(axis=1).tolist() == (matrix.sum(axis=1) == 0).tolist()


@pytest.mark.slow
@steady
@given(classified())
def test_log_loss_and_top_k_are_those_of_scikit_learn(predictions: Predictions) -> None:
    true, scores = predictions.targets, predictions.scores
    labels = np.arange(scores.shape[1])

    epsilon = np.finfo(scores.dtype).eps  # scikit-learn takes smaller probabilities for this
    given = scores[np.arange(len(true)), true]
    expected = (
        reference.log_loss(true[given > epsilon], scores[given > epsilon], labels=labels)
        if (given > epsilon).any()
        else 0.0
    )
    assert log_losses(scores, true)[given > epsilon].sum() == pytest.approx(
        expected * np.count_nonzero(given > epsilon), abs=1e-6
    )
    assert (log_losses(scores, true)[given <= epsilon] >= -np.log(epsilon) - 1e-9).all()
    for k in range(1, len(labels) if len(labels) > 2 else 1):
        # scikit-learn lets the later one of equal scores win, and predicts the earlier one all the same.
        other_way = reference.top_k_accuracy_score(
            len(labels) - 1 - true, scores[:, ::-1], k=k, labels=labels, normalize=False
        )
        assert np.count_nonzero(top_k_hits(scores, true, k)) == other_way
    if len(labels) > 2:  # of two equal ones the positive class is predicted
        assert np.array_equal(top_k_hits(scores, true, 1), predictions.predicted == true)


def test_top_5_is_reported_for_more_than_five_classes_only() -> None:
    scores = np.eye(6, dtype=np.float32)[[0, 1, 2]]

    def metrics(classes: int) -> dict[str, float | None]:
        return report_of(
            Predictions(scores[:, :classes], np.array([0, 1, 2]), np.arange(3), probabilities=True)
        ).metrics

    assert metrics(6)["top_5_accuracy"] == 1.0
    assert "top_5_accuracy" not in metrics(5)


def test_log_loss_of_float32_is_finite_when_the_true_class_got_zero() -> None:
    scores = np.array([[1.0, 0.0]], dtype=np.float32)

    assert log_losses(scores, np.array([1])) == pytest.approx(-np.log(np.finfo(np.float32).tiny))


@pytest.mark.slow
@steady
@given(classified())
def test_calibration_bins_are_those_of_scikit_learn(predictions: Predictions) -> None:
    probability, happened = predictions.scores[:, 0], predictions.targets == 0
    curve = calibration_curve(probability, happened, bins=10)

    observed, predicted = reference_calibration(happened.astype(int), probability, n_bins=10)
    np.testing.assert_allclose(curve.observed, observed, atol=1e-9)
    np.testing.assert_allclose(curve.predicted, predicted, atol=1e-9)
    assert curve.count.sum() == len(predictions)


def test_calibration_error_known_by_hand() -> None:
    curve = calibration_curve(
        np.array([0.8, 0.8, 0.8, 0.8, 0.1]), np.array([True, True, True, False, False]), 10
    )

    assert curve.count.tolist() == [1, 4]
    assert expected_calibration_error(curve) == pytest.approx((4 * 0.05 + 1 * 0.1) / 5)


def mistakes_example() -> Predictions:
    scores = np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.6, 0.3, 0.1], [0.0, 0.1, 0.9], [0.9, 0.0, 0.1]])
    return Predictions(scores, np.array([1, 1, 2, 2, 1]), np.array([40, 41, 42, 43, 44]), probabilities=True)


def test_most_confused_pairs_leave_out_the_diagonal_and_empty_cells() -> None:
    predictions = mistakes_example()
    pairs = most_confused(confusion_matrix(predictions.predicted, predictions.targets, 3), k=5)

    assert [(pair.true, pair.predicted, pair.count, pair.share) for pair in pairs] == [
        (1, 0, 2, 2 / 3),
        (2, 0, 1, 1 / 2),
    ]


def test_most_confident_mistakes_come_first_and_ties_keep_their_order() -> None:
    assert most_confident_mistakes(mistakes_example(), k=3).tolist() == [0, 4, 2]
    assert most_confident_mistakes(mistakes_example(), k=1).tolist() == [0]


def test_samples_behind_a_cell() -> None:
    predictions = mistakes_example()

    assert samples_in_cell(predictions, true=1, predicted=0).tolist() == [0, 4]
    assert samples_in_cell(predictions, true=0, predicted=0).tolist() == []
