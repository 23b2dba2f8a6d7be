"""Metrics of several labels a sample are those of scikit-learn."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics as reference

from core.evaluation.metric_values import metric_values
from core.evaluation.multilabel.influences import label_influences
from core.evaluation.multilabel.report import multilabel_report
from core.evaluation.multilabel.values import multilabel_values
from core.evaluation.paired import paired_differences
from core.evaluation.predictions import Predictions
from core.evaluation.report import Report
from core.evaluation.values import Undefined

NAMES = ["red", "green", "blue", "grey"]


def made(n: int = 200, labels: int = 4, seed: int = 0, thresholds: np.ndarray | None = None) -> Predictions:
    rng = np.random.default_rng(seed)
    targets = (rng.random((n, labels)) < np.linspace(0.2, 0.7, labels)).astype(np.uint8)
    scores = (0.35 * targets + 0.65 * rng.random((n, labels))).round(2)  # rounded: with ties
    return Predictions(scores, targets, np.arange(n), True, thresholds)


def report_of(predictions: Predictions, intervals: bool = False) -> Report:
    names = NAMES[: predictions.scores.shape[1]]
    return multilabel_report(predictions, class_names=names, split="test", seed=0, intervals=intervals)


@pytest.mark.parametrize("seed", range(3))
def test_every_mean_is_that_of_scikit_learn(seed: int) -> None:
    given = made(seed=seed, thresholds=np.array([0.4, 0.5, 0.55, 0.6]))
    predicted, targets, scores = given.predicted, given.targets, given.scores
    wanted = {
        "subset_accuracy": reference.accuracy_score(targets, predicted),
        "hamming_loss": reference.hamming_loss(targets, predicted),
    }
    for mean in ("macro", "micro", "weighted", "samples"):
        values = reference.precision_recall_fscore_support(targets, predicted, average=mean, zero_division=0)
        wanted |= {
            f"{name}_{mean}": value
            for name, value in zip(("precision", "recall", "f1"), values, strict=False)
        }
    for mean in ("macro", "micro", "weighted"):
        wanted[f"roc_auc_{mean}"] = reference.roc_auc_score(targets, scores, average=mean)
        wanted[f"average_precision_{mean}"] = reference.average_precision_score(targets, scores, average=mean)
    metrics = report_of(given).metrics
    assert metrics.keys() == wanted.keys()
    for name, value in wanted.items():
        assert metrics[name] == pytest.approx(value, abs=1e-9), name
    assert multilabel_values(given, ["roc_auc_macro"], NAMES) == metrics


def test_each_label_is_that_of_scikit_learn() -> None:
    given = made()
    rows = report_of(given).per_class
    columns = reference.precision_recall_fscore_support(given.targets, given.predicted, average=None)
    for label, row in enumerate(rows):
        wanted = [float(column[label]) for column in columns]
        assert [row[name] for name in ("precision", "recall", "f1", "support")] == pytest.approx(wanted)
        of_label = given.targets[:, label], given.scores[:, label]
        assert row["roc_auc"] == pytest.approx(reference.roc_auc_score(*of_label), abs=1e-9)
        assert row["average_precision"] == pytest.approx(
            reference.average_precision_score(*of_label), abs=1e-9
        )
        matrix = reference.confusion_matrix(of_label[0], given.predicted[:, label])
        assert [row[name] for name in ("tn", "fp", "fn", "tp")] == matrix.ravel().tolist()


def test_undefined_means_have_a_reason_and_the_mean_of_the_other_labels() -> None:
    given = made()
    targets = given.targets.copy()
    targets[:, 1] = 0
    scores = given.scores.copy()
    scores[:, 1] = 0.1
    report = report_of(Predictions(scores, targets, given.indices, True))
    for name in ("precision_macro", "recall_macro", "f1_macro", "roc_auc_macro", "average_precision_macro"):
        assert report.metrics[name] is None
        assert "'green'" in report.undefined[name]
        assert "the mean over the other labels is 0." in report.undefined[name]
    assert report.metrics["f1_micro"] is not None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        weighted = reference.f1_score(
            targets, Predictions(scores, targets, given.indices, True).predicted, average="weighted"
        )
    assert report.metrics["f1_weighted"] == pytest.approx(weighted, abs=1e-9)


def test_nothing_predicted_and_nothing_there() -> None:
    nothing = Predictions(np.zeros((3, 2)), np.zeros((3, 2), dtype=np.uint8), np.arange(3), True)
    values = multilabel_values(nothing, ["f1_micro"], NAMES[:2])
    assert isinstance(values["f1_micro"], Undefined)
    assert isinstance(values["precision_weighted"], Undefined)
    assert values["subset_accuracy"] == 1
    assert values["hamming_loss"] == 0
    assert report_of(nothing, intervals=True).metrics["subset_accuracy"] == 1


def test_the_baseline_gives_each_label_its_frequent_value() -> None:
    given = made()
    report = report_of(given)
    frequent = np.broadcast_to(given.targets.mean(axis=0) > 0.5, given.targets.shape)
    assert report.baseline["description"] == "always 1 label of 4, the frequent value of each"
    assert report.baseline["hamming_loss"] == pytest.approx(reference.hamming_loss(given.targets, frequent))
    assert report.baseline["subset_accuracy"] == pytest.approx(
        reference.accuracy_score(given.targets, frequent)
    )
    assert report.baseline["f1_micro"] == pytest.approx(
        reference.f1_score(given.targets, frequent, average="micro")
    )
    assert "precision_macro" not in report.baseline


def test_the_matrix_counts_labels_that_stand_with_predicted_ones() -> None:
    targets = np.array([[1, 1], [1, 0], [0, 1]], dtype=np.uint8)
    scores = np.array([[0.9, 0.2], [0.8, 0.7], [0.1, 0.6]])
    report = report_of(Predictions(scores, targets, np.arange(3), True))
    assert report.confusion == [[2, 1], [1, 1]]
    assert Report.from_dict(report.to_dict()) == report


def test_intervals_hold_their_values_and_shrink_with_samples() -> None:
    small, large = (report_of(made(n), intervals=True) for n in (60, 3000))
    defined = {name for name, value in small.metrics.items() if value is not None}
    assert small.intervals.keys() == defined == large.intervals.keys()
    for report in (small, large):
        for name, (low, high) in report.intervals.items():
            assert 0 <= low <= (report.metrics[name] or 0) <= high <= 1, name
    for name in defined:
        widths = [high - low for low, high in (small.intervals[name], large.intervals[name])]
        assert widths[1] < 0.35 * widths[0], name
    assert {*small.class_intervals[0]} == {"precision", "recall", "f1", "roc_auc", "average_precision"}


def test_a_split_without_mistakes_is_not_certain() -> None:
    targets = made(40).targets
    report = report_of(Predictions(targets.astype(float), targets, np.arange(40), True), intervals=True)
    for name, (low, high) in report.intervals.items():
        assert (low, high) != (report.metrics[name], report.metrics[name]), name
    assert report.intervals["hamming_loss"][0] == 0
    assert report.intervals["hamming_loss"][1] > 0.005


@pytest.mark.slow
def test_intervals_cover_the_metrics_of_the_whole_population() -> None:
    population = made(20_000, seed=1)
    whole = report_of(population).metrics
    rng = np.random.default_rng(0)
    names = ("f1_macro", "f1_micro", "f1_samples", "hamming_loss", "roc_auc_macro", "roc_auc_micro")
    covered = dict.fromkeys(names, 0)
    for _ in range(40):
        rows = rng.choice(20_000, 150, replace=False)
        part = Predictions(population.scores[rows], population.targets[rows], np.arange(150), True)
        intervals = report_of(part, intervals=True).intervals
        for name in names:
            covered[name] += intervals[name][0] <= (whole[name] or 0) <= intervals[name][1]
    assert min(covered.values()) >= 35, covered


def test_influences_are_how_metrics_change_without_a_sample() -> None:
    given = made(80, seed=2)
    found = label_influences(given, np.ones(len(given)))
    whole = report_of(given).metrics
    assert found.keys() == whole.keys()
    rest = np.arange(1, 80)
    part = Predictions(given.scores[rest], given.targets[rest], rest, True)
    without = report_of(part).metrics
    for name, influences in found.items():
        assert abs(influences.mean()) < 0.01
        change = (whole[name] or 0) - (without[name] or 0)
        assert influences[0] / 80 == pytest.approx(change, abs=3e-3), name


def test_two_models_are_compared_sample_by_sample() -> None:
    first = made(200, seed=3)
    worse = Predictions(
        0.5 * first.scores + 0.5 * made(200, seed=4).scores, first.targets, first.indices, True
    )
    values = {
        name: (value or 0) - (report_of(worse).metrics[name] or 0)
        for name, value in report_of(first).metrics.items()
    }
    found = paired_differences(first, worse, values)
    assert found.keys() == values.keys()
    assert found["roc_auc_macro"].is_clear
    assert found["subset_accuracy"].value == pytest.approx(values["subset_accuracy"])
    same = paired_differences(first, first, dict.fromkeys(values, 0.0))
    assert {each.p for each in same.values()} == {1.0}


def test_samples_with_weights_count_so_often() -> None:
    times = np.array([1, 2, 3, 0] * 15)
    given = made(60)
    repeated = np.repeat(np.arange(60), times)
    often = Predictions(given.scores[repeated], given.targets[repeated], np.arange(len(repeated)), True)
    weighted = report_of(replace(given, weights=times.astype(float)), intervals=True)
    assert weighted.metrics == pytest.approx(report_of(often).metrics)
    for name, value in report_of(often).baseline.items():
        assert weighted.baseline[name] == (value if isinstance(value, str) else pytest.approx(value))
    assert weighted.intervals == {}
    assert "weights" in weighted.no_interval["f1_micro"]


def test_an_epoch_measures_the_same() -> None:
    given = made()
    wanted = ["f1_macro", "roc_auc_weighted", "hamming_loss"]
    metrics = report_of(given).metrics
    assert metric_values(given, wanted, NAMES) == pytest.approx({name: metrics[name] for name in wanted})
