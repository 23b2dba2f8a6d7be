"""Metrics of masks against scikit-learn's on all pixels; intervals and comparisons over images."""

from typing import Any

import numpy as np
import pytest
from sklearn import metrics as reference

from core.arrays import IGNORED
from core.errors import DataError
from core.evaluation.paired import paired_differences
from core.evaluation.predictions import Predictions
from core.evaluation.report import Report
from core.evaluation.segmentation.pictures import side_by_side
from core.evaluation.segmentation.report import image_scores, worst_images
from core.tasks.evaluation import evaluate

N, SIZE, CLASSES = 24, (7, 9), 4


def masks(seed: int = 0, right: float = 0.7, *, classes: int = CLASSES, ignored: bool = True) -> Predictions:
    dice = np.random.default_rng(seed)
    targets = np.random.default_rng(1).integers(0, classes, (N, *SIZE)).astype(np.uint8)
    other = dice.integers(0, classes, targets.shape).astype(np.uint8)
    answers = np.where(dice.random(targets.shape) < right, targets, other).astype(np.uint8)
    if ignored:
        targets[:, 0, :] = IGNORED
    return Predictions(answers, targets, np.arange(N), False)


def report_of(predictions: Predictions, classes: int = CLASSES, **options: Any) -> Report:
    names = [f"c{number}" for number in range(classes)]
    return evaluate(predictions, task="segmentation", class_names=names, split="test", **options)


@pytest.mark.parametrize("ignored", [False, True])
def test_metrics_are_those_of_all_pixels_that_count(ignored: bool) -> None:
    predictions = masks(ignored=ignored)
    known = predictions.targets != IGNORED
    true, answer = predictions.targets[known], predictions.scores[known]
    report = report_of(predictions)
    found = report.metrics
    assert found["pixel_accuracy"] == pytest.approx(reference.accuracy_score(true, answer), abs=1e-9)
    iou = reference.jaccard_score(true, answer, average=None)
    dice = reference.f1_score(true, answer, average=None)
    assert found["mean_iou"] == pytest.approx(iou.mean(), abs=1e-9)
    assert found["mean_dice"] == pytest.approx(dice.mean(), abs=1e-9)
    assert [row["iou"] for row in report.per_class] == pytest.approx(iou.tolist(), abs=1e-9)
    assert [row["dice"] for row in report.per_class] == pytest.approx(dice.tolist(), abs=1e-9)
    recall = reference.recall_score(true, answer, average=None)
    assert [row["recall"] for row in report.per_class] == pytest.approx(recall.tolist(), abs=1e-9)
    assert np.array_equal(report.confusion, reference.confusion_matrix(true, answer))
    assert [row["support"] for row in report.per_class] == np.bincount(true).tolist()


def test_a_class_that_does_not_occur_is_left_out_of_the_mean() -> None:
    predictions = masks()
    assert (
        report_of(predictions, CLASSES + 1).metrics["mean_iou"] == report_of(predictions).metrics["mean_iou"]
    )
    assert report_of(predictions, CLASSES + 1).per_class[-1]["iou"] is None


def test_intervals_are_over_images_and_hold_the_value() -> None:
    report = report_of(masks())
    for name, (low, high) in report.intervals.items():
        value = report.metrics[name]
        assert value is not None
        assert low < value < high
    assert set(report.intervals) == {"pixel_accuracy", "mean_iou", "mean_dice"}
    again = report_of(masks())
    assert again.intervals == report.intervals, "the same seed draws the same images"
    assert len(report.class_intervals) == CLASSES


def test_few_images_have_no_interval() -> None:
    few = masks()
    few = Predictions(few.scores[:3], few.targets[:3], few.indices[:3], False)
    report = report_of(few)
    assert not report.intervals
    assert "fewer than 10 images" in report.no_interval["mean_iou"]


def test_the_baseline_gives_every_pixel_the_most_frequent_class() -> None:
    predictions = masks()
    known = predictions.targets != IGNORED
    majority = int(np.bincount(predictions.targets[known]).argmax())
    report = report_of(predictions)
    assert report.baseline["description"] == f"every pixel 'c{majority}', the most frequent class"
    share = float((predictions.targets[known] == majority).mean())
    assert report.baseline["pixel_accuracy"] == pytest.approx(share)
    assert report.baseline["mean_iou"] == pytest.approx(share / CLASSES)


def test_weights_of_images_count_as_if_they_were_there_more_often() -> None:
    predictions = masks()
    weights = np.ones(N)
    weights[3], weights[5] = 3, 0
    rows = [at for at in range(N) for _ in range(int(weights[at]))]
    weighted = Predictions(
        predictions.scores, predictions.targets, predictions.indices, False, weights=weights
    )
    repeated = Predictions(predictions.scores[rows], predictions.targets[rows], np.arange(len(rows)), False)
    for name, value in report_of(repeated, intervals=False).metrics.items():
        assert report_of(weighted, intervals=False).metrics[name] == pytest.approx(value)


def test_the_worst_image_comes_first_and_right_ones_do_not_come() -> None:
    predictions = masks()
    predictions.scores[4] = predictions.targets[4]
    predictions.scores[9] = (predictions.targets[9] + 1) % CLASSES
    order = worst_images(predictions, 1000)
    assert order[0] == 9
    assert 4 not in order
    scores = image_scores(predictions, CLASSES)
    assert (np.diff(scores[order]) >= 0).all()


def test_two_models_are_compared_image_by_image() -> None:
    better, worse = masks(2, 0.8), masks(3, 0.6)
    reports = report_of(better), report_of(worse)
    values = {name: reports[0].metrics[name] - reports[1].metrics[name] for name in reports[0].metrics}  # type: ignore[operator]  # all defined
    found = paired_differences(better, worse, values)
    assert found.keys() == values.keys()
    for name, difference in found.items():
        assert difference.interval[0] < values[name] < difference.interval[1]
        assert difference.p < 0.001
    same = paired_differences(better, better, dict.fromkeys(values, 0.0))
    assert same["mean_iou"].p == 1


def test_influences_are_derivatives_by_the_weight_of_an_image() -> None:
    from core.evaluation.segmentation.influence import image_influences

    predictions, step = masks(), 1e-4
    found = image_influences(predictions)
    base = report_of(predictions, intervals=False).metrics
    for image in (0, 7):
        weights = np.ones(N)
        weights[image] += step
        moved = Predictions(
            predictions.scores, predictions.targets, predictions.indices, False, weights=weights
        )
        values = report_of(moved, intervals=False).metrics
        for name, value in values.items():
            slope = N * (value - base[name]) / step  # type: ignore[operator]  # all are defined
            assert found[name][image] == pytest.approx(slope, rel=1e-2, abs=1e-4)


@pytest.mark.parametrize(
    ("classes", "message"), [(2, "masks hold the class 3"), (3, "masks hold the class 3")]
)
def test_masks_with_classes_that_are_not_there_are_refused(classes: int, message: str) -> None:
    with pytest.raises(DataError, match=message):
        report_of(masks(), classes)


def test_scores_are_no_masks() -> None:
    rows = Predictions(np.zeros((3, 2)), np.zeros(3, dtype=np.int64), np.arange(3), True)
    with pytest.raises(DataError, match="do not fit a segmentation task"):
        report_of(rows)


def test_masks_are_kept_as_they_are(tmp_path: Any) -> None:
    predictions = masks()
    predictions.save(tmp_path / "p.npz")
    again = Predictions.load(tmp_path / "p.npz")
    assert np.array_equal(again.scores, predictions.scores)
    assert again.has_masks
    assert np.array_equal(again.targets, predictions.targets)


def test_an_image_stands_beside_its_masks() -> None:
    picture = np.full((4, 5), 7, dtype=np.uint8)
    mask = np.zeros((4, 5), dtype=np.uint8)
    mask[0, 0], mask[1, 1] = 1, IGNORED
    shown = side_by_side(picture, mask, mask)
    assert shown.shape == (4, 3 * 5 + 2 * 2, 3)
    assert (shown[:, :5] == 7).all()
    assert (shown[1, 5 + 2 + 1] == 255).all(), "what does not count is white"
    assert np.array_equal(shown[:, 7:12], shown[:, 14:19])
