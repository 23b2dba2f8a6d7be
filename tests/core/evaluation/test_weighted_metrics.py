"""Metrics of samples with weights are those of scikit-learn with ``sample_weight``."""

from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics as reference

from core.evaluation import Predictions
from core.evaluation.curve_sets import curves_of
from core.evaluation.curves import PrecisionRecallCurve, RocCurve, precision_recall, roc
from core.evaluation.metric_values import metric_values
from core.evaluation.multilabel.thresholds import choose_thresholds
from core.evaluation.report import Report
from core.evaluation.thresholds import threshold_table
from core.evaluation.weighted import effective_size, ranked_counts, weighted_areas
from core.tasks.evaluation import evaluate
from core.tasks.registry import task_for, task_of

N = 240
REL, ABS = 1e-9, 1e-12


def of_classes(classes: int, ties: bool = False) -> Predictions:
    dice = np.random.default_rng(classes)
    targets = dice.integers(classes, size=N)
    logits = dice.normal(size=(N, classes)) + np.eye(classes)[targets]
    scores = np.exp(np.round(logits, 1) if ties else logits)
    weights = dice.exponential(size=N)
    weights[dice.random(N) < 0.1] = 0
    return Predictions(
        scores / scores.sum(axis=1, keepdims=True), targets, np.arange(N), True, weights=weights
    )


def of_numbers() -> Predictions:
    dice = np.random.default_rng(0)
    targets = dice.normal(size=N) * 3 + 10
    return Predictions(
        targets + dice.normal(size=N), targets, np.arange(N), False, weights=dice.exponential(size=N)
    )


def evaluated(predictions: Predictions, classes: int) -> Report:
    names = [f"c{label}" for label in range(classes)]
    return evaluate(predictions, task=task_for(classes), class_names=names, split="test")


@pytest.mark.parametrize("classes", [2, 3, 7])
@pytest.mark.parametrize("ties", [False, True])
def test_classes(classes: int, ties: bool) -> None:
    predictions = of_classes(classes, ties)
    true, scores, weights = predictions.targets, predictions.scores, predictions.weights
    answers = predictions.predicted
    by = {"sample_weight": weights}
    one_hot = np.eye(classes)[true]
    wanted = {
        "accuracy": reference.accuracy_score(true, answers, **by),
        "balanced_accuracy": reference.balanced_accuracy_score(true, answers, **by),
        "mcc": reference.matthews_corrcoef(true, answers, **by),
        "cohen_kappa": reference.cohen_kappa_score(true, answers, **by),
        "log_loss": reference.log_loss(true, scores, labels=range(classes), **by),
    }
    for average in ("macro", "micro", "weighted"):
        for name in ("precision", "recall", "f1"):
            score = getattr(reference, f"{name}_score")
            wanted[f"{name}_{average}"] = score(true, answers, average=average, **by)
    for average in ("macro", "micro"):
        wanted[f"roc_auc_{average}"] = reference.roc_auc_score(one_hot, scores, average=average, **by)
        wanted[f"average_precision_{average}"] = reference.average_precision_score(
            one_hot, scores, average=average, **by
        )
    if classes == 2:
        wanted["roc_auc"] = reference.roc_auc_score(true, scores[:, 1], **by)
        wanted["brier"] = reference.brier_score_loss(true, scores[:, 1], **by)
        wanted["f1"] = reference.f1_score(true, answers, **by)
    if classes > 5:
        wanted["top_5_accuracy"] = reference.top_k_accuracy_score(true, scores, k=5, **by)
        if ties:
            del wanted["top_5_accuracy"]  # equal scores stand in another order there
    report = evaluated(predictions, classes)
    of_epoch = metric_values(
        predictions,
        task_of(task_for(classes)).metrics(classes)[1:],
        report.class_names,
    )
    for name, value in wanted.items():
        assert report.metrics[name] == pytest.approx(value, rel=REL, abs=ABS), name
        assert of_epoch[name] == pytest.approx(value, rel=REL, abs=ABS), name
    assert sum(map(sum, report.confusion)) == N, "the matrix counts samples"


@pytest.mark.parametrize("ties", [False, True])
def test_curves_and_thresholds_are_those_of_weighted_samples(ties: bool) -> None:
    predictions = of_classes(3, ties)
    weights, report = predictions.weights, evaluated(predictions, 3)
    assert weights is not None
    scores, positive = predictions.scores[:, 1], predictions.positive(1)
    ranked = ranked_counts(scores, positive, weights)
    line, by_recall = roc(ranked), precision_recall(ranked)
    assert isinstance(line, RocCurve)
    assert isinstance(by_recall, PrecisionRecallCurve)
    fpr, tpr, at = reference.roc_curve(positive, scores, sample_weight=weights, drop_intermediate=False)
    kept = np.isin(at, np.asarray(line.thresholds))
    assert np.array_equal(at[kept][::-1], np.unique(np.asarray(line.thresholds)))
    np.testing.assert_allclose(line.fpr, fpr[kept], atol=1e-12)
    np.testing.assert_allclose(line.tpr, tpr[kept], atol=1e-12)
    assert np.trapezoid(line.tpr, line.fpr) == pytest.approx(
        reference.roc_auc_score(positive, scores, sample_weight=weights), abs=1e-9
    )
    precision, recall, cuts = reference.precision_recall_curve(positive, scores, sample_weight=weights)
    places = np.searchsorted(cuts, np.asarray(by_recall.thresholds)[1:])
    np.testing.assert_allclose(by_recall.precision[1:], precision[places], atol=1e-12)
    np.testing.assert_allclose(by_recall.recall[1:], recall[places], atol=1e-12)
    (point,) = threshold_table(ranked, [0.4])
    counts = reference.confusion_matrix(positive, scores >= 0.4, sample_weight=weights).ravel()
    np.testing.assert_allclose([point.tn, point.fp, point.fn, point.tp], counts, rtol=1e-12)
    found = reference.f1_score(positive, scores >= 0.4, sample_weight=weights)
    assert point.f1 == pytest.approx(found, abs=1e-9)
    curve = curves_of(predictions, report)[1]
    assert curve.point("roc", -1).recall == 1
    assert curve.prevalence == pytest.approx(np.average(positive, weights=weights))


@pytest.mark.slow
def test_thresholds_of_labels_are_chosen_by_weights() -> None:
    dice = np.random.default_rng(0)
    targets = dice.integers(0, 2, (N, 2), dtype=np.uint8)
    scores = 1 / (1 + np.exp(-dice.normal(targets, 1.5)))
    weights = dice.exponential(size=N)
    predictions = Predictions(scores, targets, np.arange(N), True, weights=weights)
    for label, chosen in enumerate(choose_thresholds(predictions, ["a", "b"]).values):
        cuts = np.sort(scores[:, label])
        given = [
            reference.f1_score(targets[:, label], scores[:, label] >= cut, sample_weight=weights)
            for cut in cuts
        ]
        found = reference.f1_score(targets[:, label], scores[:, label] >= chosen, sample_weight=weights)
        assert found == pytest.approx(max(given), abs=1e-9)


def test_numbers() -> None:
    predictions = of_numbers()
    true, answers, by = predictions.targets, predictions.scores, {"sample_weight": predictions.weights}
    report = evaluated(predictions, 0)
    wanted = {
        "r2": reference.r2_score(true, answers, **by),
        "mae": reference.mean_absolute_error(true, answers, **by),
        "rmse": reference.root_mean_squared_error(true, answers, **by),
        "mape": reference.mean_absolute_percentage_error(true, answers, **by),
    }
    assert report.metrics == pytest.approx(wanted, rel=REL, abs=ABS)
    mean = np.average(true, weights=predictions.weights)
    assert report.baseline["mae"] == pytest.approx(
        reference.mean_absolute_error(true, np.full(N, mean), **by), rel=REL, abs=ABS
    )
    assert not report.intervals
    assert "samples have weights" in report.no_interval["r2"]


def test_equal_weights_change_nothing() -> None:
    given = of_classes(3)
    plain = Predictions(given.scores, given.targets, given.indices, True)
    alike = Predictions(given.scores, given.targets, given.indices, True, weights=np.full(N, 2.0))
    one, other = evaluated(plain, 3), evaluated(alike, 3)
    assert other.metrics == pytest.approx(one.metrics, rel=1e-12)
    assert other.effective_n == pytest.approx(N)
    assert other.baseline["accuracy"] == one.baseline["accuracy"]
    assert other.intervals["accuracy"] == pytest.approx(one.intervals["accuracy"])


def test_intervals_widen_with_what_weights_leave_of_the_samples() -> None:
    report = evaluated(of_classes(3), 3)
    assert report.effective_n is not None
    assert N / 3 < report.effective_n < 2 * N / 3
    low, high = report.intervals["accuracy"]
    plain = of_classes(3)
    narrow = evaluated(Predictions(plain.scores, plain.targets, plain.indices, True), 3).intervals["accuracy"]
    assert high - low > 1.2 * (narrow[1] - narrow[0])
    assert "samples have weights" in report.no_interval["roc_auc_macro"]
    assert report.class_intervals[0].keys() == {"precision", "recall", "f1"}


def test_a_class_whose_samples_all_weigh_nothing_has_no_areas() -> None:
    scores, positive = np.array([0.1, 0.9, 0.5]), np.array([False, True, False])
    assert "no sample" in str(weighted_areas(scores, positive, np.array([1.0, 0.0, 1.0]))[0])
    assert weighted_areas(scores, positive, np.ones(3)) == (1.0, 1.0)


def test_the_effective_size() -> None:
    assert effective_size(np.full(7, 3.0)) == pytest.approx(7)
    assert effective_size(np.array([1.0, 0.0])) == 1


def test_weights_are_stored_with_predictions(tmp_path: Path) -> None:
    given = of_classes(2)
    path = tmp_path / "predictions.npz"
    given.save(path)
    read = Predictions.load(path)
    assert read.weights is not None
    assert given.weights is not None
    assert np.array_equal(read.weights, given.weights)
    Predictions(given.scores, given.targets, given.indices, True).save(path)
    assert Predictions.load(path).weights is None
