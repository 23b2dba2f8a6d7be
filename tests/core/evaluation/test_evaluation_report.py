"""The report: reasons, baselines, intervals, and the file it is kept in."""

import dataclasses
import json
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as reference

from core.errors import DataError, RunDamaged
from core.evaluation import Predictions, Report, classification, curves, influence
from core.tasks.evaluation import evaluate
from tests.support.narrow import some


def scored(n: int = 300, classes: int = 3, seed: int = 0, skill: float = 1.2) -> Predictions:
    """Softmax probabilities of a model that is right more often than not; every class occurs if n allows."""
    rng = np.random.default_rng(seed)
    targets = rng.permutation(np.arange(n) % classes)
    logits = rng.normal(size=(n, classes))
    logits[np.arange(n), targets] += skill
    odds = np.exp(logits)
    return Predictions(odds / odds.sum(axis=1, keepdims=True), targets, np.arange(n), probabilities=True)


def report_of(predictions: Predictions, **options: Any) -> Report:
    classes = predictions.scores.shape[1]
    options = {"class_names": [f"c{label}" for label in range(classes)], **options}
    task: str = "binary" if classes == 2 else "multiclass"
    return evaluate(predictions, task=task, split="test", **options)


def replaced(predictions: Predictions, **changes: Any) -> Predictions:
    return dataclasses.replace(predictions, **changes)


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_score_metrics_are_those_of_scikit_learn(classes: int) -> None:
    predictions = scored(classes=classes)
    metrics = report_of(predictions, intervals=False).metrics
    one_hot = predictions.targets[:, None] == np.arange(classes)

    for name, function in (
        ("roc_auc", reference.roc_auc_score),
        ("average_precision", reference.average_precision_score),
    ):
        for average in ("macro", "micro"):
            expected = function(one_hot, predictions.scores, average=average)
            assert metrics[f"{name}_{average}"] == pytest.approx(expected, abs=1e-9)
    assert metrics["log_loss"] == pytest.approx(reference.log_loss(predictions.targets, predictions.scores))
    assert ("top_5_accuracy" in metrics) == (classes > 5)


def test_two_classes_also_get_the_metrics_of_class_1() -> None:
    predictions = scored(classes=2)
    report = report_of(predictions)
    true, predicted, score = predictions.targets, predictions.predicted, predictions.scores[:, 1]

    expected = {
        "precision": reference.precision_score(true, predicted),
        "recall": reference.recall_score(true, predicted),
        "f1": reference.f1_score(true, predicted),
        "roc_auc": reference.roc_auc_score(true, score),
        "average_precision": reference.average_precision_score(true, score),
        "brier": reference.brier_score_loss(true, score),
    }
    assert {name: report.metrics[name] for name in expected} == pytest.approx(expected, abs=1e-9)
    assert expected.keys() <= report.intervals.keys()
    assert "precision" not in report_of(scored(classes=3)).metrics


def test_a_class_that_does_not_occur_is_undefined_with_its_name_never_a_number() -> None:
    predictions = scored(classes=4)
    seen = predictions.targets < 3
    part = Predictions(predictions.scores[seen], predictions.targets[seen], np.arange(seen.sum()), True)
    report = report_of(part, class_names=["cat", "dog", "hen", "e\x1b[31mel"])

    for name in ("roc_auc_macro", "average_precision_macro"):
        assert report.metrics[name] is None
        assert report.undefined[name].startswith(
            "class 'e\\x1b[31mel' is not in the test split; the mean over the other classes is 0."
        )
    assert report.metrics["recall_macro"] is None
    assert report.undefined["recall_macro"].startswith("class 'e\\x1b[31mel' is predicted but not in")
    assert report.metrics["roc_auc_micro"] is not None
    eel = report.per_class[3]
    assert (eel["recall"], eel["roc_auc"], eel["average_precision"], eel["support"]) == (None, None, None, 0)


def test_a_class_that_is_never_predicted_leaves_precision_undefined() -> None:
    predictions = scored(classes=6)
    scores = predictions.scores.copy()
    scores[:, 1:] *= 1e-3
    report = report_of(replaced(predictions, scores=scores, probabilities=False))

    assert report.metrics["precision_macro"] is None
    assert report.undefined["precision_macro"].startswith(
        "classes 'c1', 'c2', 'c3' and 2 more are never predicted"
    )
    assert report.metrics["recall_macro"] is not None
    assert report.undefined["mcc"] == "all predictions are of one class"


def test_a_single_sample_is_reported_without_a_crash() -> None:
    report = report_of(scored(n=1, classes=3, skill=9))

    assert report.metrics["accuracy"] == 1
    assert report.intervals["accuracy"] == pytest.approx([0.025, 1])
    assert {"mcc", "cohen_kappa", "roc_auc_macro"} <= report.undefined.keys()
    assert set(report.undefined) == {name for name, value in report.metrics.items() if value is None}


def test_margins_have_no_log_loss_and_no_calibration() -> None:
    predictions = scored(classes=2)
    report = report_of(replaced(predictions, scores=predictions.scores * 7, probabilities=False))

    for name in ("log_loss", "ece", "brier"):
        assert report.metrics[name] is None
        assert report.undefined[name] == "the scores are margins, not probabilities"
    assert report.metrics["roc_auc_macro"] is not None


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ([0.5, 0.6, 0.2], "1 of 300 rows of scores do not sum to one"),
        ([-0.2, 1.0, 0.2], "scores below 0 or above 1 are not probabilities"),
    ],
)
def test_scores_that_only_claim_to_be_probabilities_are_found_out(row: list[float], reason: str) -> None:
    predictions = scored()
    predictions.scores[7] = row

    assert report_of(predictions).undefined["log_loss"] == reason


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_are_refused_with_their_number(value: float) -> None:
    predictions = scored()
    predictions.scores[[3, 9], 1] = value
    predictions.scores[9, 2] = value

    with pytest.raises(DataError, match="2 of 300 rows of the test scores hold NaN or infinite values"):
        report_of(predictions)


def test_targets_of_a_regression_that_are_not_finite_are_refused() -> None:
    predictions = Predictions(np.zeros(3), np.array([0.0, np.nan, 1.0]), np.arange(3), False)

    with pytest.raises(DataError, match="1 of 3 rows of the test targets"):
        evaluate(predictions, task="regression", class_names=(), split="test")


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (
            {"scores": np.zeros((0, 3)), "targets": np.zeros(0, np.int64), "indices": np.arange(0)},
            {},
            "no samples",
        ),
        ({}, {"class_names": ["a", "b"]}, "scores of 3 classes do not fit .* 2 class names"),
        ({"targets": np.full(300, 3)}, {}, "targets go from 3 to 3, but the classes are 0 to 2"),
        ({"targets": np.full(300, -1)}, {}, "targets go from -1"),
    ],
)
def test_predictions_that_cannot_be_evaluated_are_refused(
    change: dict[str, Any], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        report_of(replaced(scored(), **change), **options)


@pytest.mark.parametrize("task", ["regression", "ranking", "binary"])
def test_a_task_that_does_not_fit_is_refused(task: str) -> None:
    with pytest.raises(DataError, match=task):
        evaluate(scored(), task=task, class_names=["a", "b", "c"], split="test")


def test_baseline_is_the_most_frequent_class() -> None:
    predictions = scored(n=9, classes=3)
    targets = np.array([2, 2, 2, 2, 2, 0, 0, 1, 1])
    baseline = report_of(replaced(predictions, targets=targets)).baseline

    always = np.full(9, 2)
    assert baseline["description"] == "always 'c2', the most frequent class"
    assert baseline["accuracy"] == pytest.approx(5 / 9)
    assert baseline["f1_macro"] == pytest.approx(reference.f1_score(targets, always, average="macro"))
    frequencies = np.tile(np.bincount(targets) / 9, (9, 1))
    assert baseline["log_loss"] == pytest.approx(reference.log_loss(targets, frequencies))
    one_hot = targets[:, None] == np.arange(3)
    expected = reference.average_precision_score(one_hot, np.ones((9, 3)), average="macro")
    assert baseline["average_precision_macro"] == pytest.approx(expected)
    pooled = one_hot.ravel(), frequencies.ravel()
    assert baseline["roc_auc_micro"] == pytest.approx(reference.roc_auc_score(*pooled))
    assert baseline["average_precision_micro"] == pytest.approx(reference.average_precision_score(*pooled))
    assert "precision_macro" not in baseline


def test_the_baseline_of_a_pooled_area_is_that_of_the_frequencies() -> None:
    targets = np.repeat([0, 1], [98, 2])
    second = np.random.default_rng(0).random(100)
    given = Predictions(np.stack([1 - second, second], axis=1), targets, np.arange(100), True)
    baseline = evaluate(given, task="binary", class_names=["a", "b"], split="test").baseline
    assert baseline["roc_auc_micro"] == pytest.approx(0.98)
    assert baseline["average_precision_micro"] == pytest.approx(0.9704)
    assert (baseline["roc_auc"], baseline["roc_auc_macro"]) == (0.5, 0.5)


def test_every_headline_number_has_an_interval_around_it() -> None:
    for report in (report_of(scored(classes=7)), report_of(scored(classes=2)), report_of(scored(n=5000))):
        assert report.intervals.keys() | report.no_interval.keys() == report.metrics.keys()
        assert report.no_interval.keys() == {"ece"}
        for name, (low, high) in report.intervals.items():
            assert low <= some(report.metrics[name]) <= high
            assert low < high


@pytest.mark.slow
@pytest.mark.parametrize("classes", [2, 4])
def test_intervals_agree_with_resampling_the_samples(classes: int) -> None:
    predictions = scored(n=400, classes=classes)
    found = report_of(predictions).intervals
    rng = np.random.default_rng(1)
    resampled = []
    for _ in range(400):
        rows = rng.integers(0, 400, 400)
        part = Predictions(predictions.scores[rows], predictions.targets[rows], rows, True)
        resampled.append(report_of(part, intervals=False).metrics)

    for name, interval in found.items():
        low, high = np.percentile([metrics[name] for metrics in resampled], [2.5, 97.5])
        assert 0.85 < np.ptp(interval) / (high - low) < 1.45, name
        assert interval == pytest.approx([low, high], abs=0.3 * (high - low)), name


def test_intervals_of_large_splits_shrink_with_the_square_root_of_the_samples() -> None:
    small, large = (report_of(scored(n=n, seed=3)).intervals for n in (2500, 40_000))

    for name in small:
        ratio = np.ptp(small[name]) / np.ptp(large[name])
        assert ratio == pytest.approx(4, rel=0.2), name


def test_a_part_of_the_rows_stands_for_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    predictions = scored(n=6000, classes=3)
    whole = report_of(predictions).intervals
    monkeypatch.setattr(influence, "MAX_ROWS", 3000)
    part = report_of(predictions).intervals

    for name in whole:
        assert np.ptp(part[name]) == pytest.approx(np.ptp(whole[name]), rel=0.15), name


def test_sampled_rows_keep_rare_classes_and_stand_for_every_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(influence, "MAX_ROWS", 300)
    targets = np.repeat([0, 1, 3], [5000, 40, 5000])
    sample = influence.sample_rows(targets, 4, np.random.default_rng(0))

    assert np.bincount(targets[sample.rows]).tolist() == [100, 40, 0, 100]
    assert np.bincount(targets[sample.rows], weights=sample.weights) == pytest.approx([5000, 40, 0, 5000])
    assert len(set(sample.rows.tolist())) == len(sample.rows)


@pytest.mark.slow
def test_influences_are_derivatives_of_the_areas() -> None:
    rng = np.random.default_rng(2)
    scores, positive = rng.normal(size=40).round(1), rng.random(40) < 0.4
    weights = rng.integers(1, 4, size=40).astype(np.float64)

    found = influence.area_influence(scores, positive, weights)
    step = 1e-6
    for i in range(40):
        more = weights + step * (np.arange(40) == i)
        for influences, area in zip(
            found, (reference.roc_auc_score, reference.average_precision_score), strict=True
        ):
            slope = (
                area(positive, scores, sample_weight=more) - area(positive, scores, sample_weight=weights)
            ) / step
            assert influences[i] == pytest.approx(weights.sum() * slope, abs=1e-3)


def test_the_same_seed_gives_the_same_report() -> None:
    assert report_of(scored(), seed=4) == report_of(scored(), seed=4)
    assert report_of(scored(), seed=4).intervals != report_of(scored(), seed=5).intervals


def test_a_saved_report_comes_back_equal(tmp_path: Path) -> None:
    names = ["猫", "[bold]dog[/]\n", "caf\udce9"]
    report = report_of(replaced(scored(), targets=np.zeros(300, np.int64)), class_names=names)
    report.save(tmp_path / "test" / "report.json")

    assert Report.load(tmp_path / "test" / "report.json") == report
    assert Report.from_dict(json.loads(json.dumps(report.to_dict(), allow_nan=False))) == report
    assert report.class_names == ["猫", "[bold]dog[/]\n", "caf\\udce9"]


def test_keys_of_a_newer_report_are_ignored(tmp_path: Path) -> None:
    report = report_of(scored())

    assert Report.from_dict({**report.to_dict(), "new": 1}) == report


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[: len(text) // 2],
        lambda text: "[]",
        lambda text: text.replace('"split"', '"spilt"'),
        lambda text: text.replace('"n": 300', '"n": "many"'),
        lambda text: text.replace('"n": 300', '"n": NaN'),
        lambda text: text.replace('"accuracy": 0', '"accuracy": NaN, "was": 0', 1),
        lambda text: text.replace('"confusion": [[', '"confusion": [[0, '),
        lambda text: text + "\x00",
    ],
)
def test_a_damaged_report_is_named(tmp_path: Path, damage: Callable[[str], str]) -> None:
    path = tmp_path / "report.json"
    report_of(scored()).save(path)
    text = path.read_text()
    path.write_text(damage(text))

    assert damage(text) != text
    with pytest.raises(RunDamaged, match=r"report\.json"):
        Report.load(path)


def test_a_report_that_is_not_there_or_not_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    with pytest.raises(RunDamaged, match=r"report\.json"):
        Report.load(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RunDamaged, match=r"report\.json"):
        Report.load(path)


def test_importing_the_package_loads_no_torch_and_no_scikit_learn() -> None:
    code = "import sys, core.evaluation; print(sorted({'torch', 'sklearn', 'scipy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


@pytest.mark.slow
@pytest.mark.parametrize(("certain", "most"), [(False, 1.5), (True, 4.0)])
def test_memory_grows_with_the_predictions_alone(
    certain: bool, most: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever needs more digits is computed for some rows at a time, but for the log-odds of rounded probabilities."""
    monkeypatch.setattr(classification, "ROWS_PER_BLOCK", 1 << 10)
    monkeypatch.setattr(curves, "POSITIVES_PER_BLOCK", 1 << 10)

    def peak(n: int) -> tuple[int, int]:
        """Bytes of the predictions, and those added by their evaluation."""
        exact = scored(n, classes=10)
        scores = exact.scores.astype(np.float32)
        if certain:
            scores[::7] = np.eye(10, dtype=np.float32)[exact.targets[::7]]
        predictions = replaced(exact, scores=scores)
        tracemalloc.start()
        report = report_of(predictions)
        added = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert "roc_auc_micro" in report.intervals
        return scores.nbytes + exact.targets.nbytes + exact.indices.nbytes, added

    peak(1000)  # imports
    (small, little), (large, much) = peak(60_000), peak(180_000)
    assert much - little < most * (large - small)
