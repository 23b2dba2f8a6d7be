"""Some metrics alone: the values of the report, and of scikit-learn."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as reference

from core.evaluation import Predictions
from core.evaluation.metric_values import metric_values
from core.metrics import METRICS
from core.tasks.evaluation import evaluate
from core.tasks.registry import task_of


def scored(classes: int, n: int = 300, kind: Any = np.float32) -> Predictions:
    """Probabilities as a network gives them, right more often than not."""
    dice = np.random.default_rng(classes)
    targets = dice.permutation(np.arange(n) % classes)
    logits = dice.normal(size=(n, classes))
    logits[np.arange(n), targets] += 1.2
    odds = np.exp(logits)
    scores = (odds / odds.sum(axis=1, keepdims=True)).astype(kind)
    return Predictions(scores, targets, np.arange(n), probabilities=True)


def numbers(n: int = 200) -> Predictions:
    dice = np.random.default_rng(0)
    targets = dice.normal(5, 2, size=n)
    return Predictions(targets + dice.normal(size=n), targets, np.arange(n), probabilities=False)


def names(classes: int) -> list[str]:
    return [f"c{label}" for label in range(classes)]


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_each_metric_alone_is_that_of_the_report(classes: int) -> None:
    predictions = scored(classes)
    task: str = "binary" if classes == 2 else "multiclass"
    report = evaluate(predictions, task=task, class_names=names(classes), split="validation", intervals=False)
    known = task_of(task).metrics(classes)
    assert set(known) - {"loss"} == report.metrics.keys()
    for name in report.metrics:
        assert metric_values(predictions, [name], names(classes)) == {name: report.metrics[name]}
    assert metric_values(predictions, list(report.metrics), names(classes)) == report.metrics


def test_each_number_alone_is_that_of_the_report() -> None:
    report = evaluate(numbers(), task="regression", class_names=[], split="validation", intervals=False)
    assert set(task_of("regression").metrics(0)) - {"loss"} == report.metrics.keys()
    for name in report.metrics:
        assert metric_values(numbers(), [name], []) == {name: report.metrics[name]}


def test_values_are_those_of_scikit_learn() -> None:
    two, three = scored(2, kind=np.float64), scored(3, kind=np.float64)
    of_numbers = numbers()
    true, found, score = two.targets, two.predicted, two.scores[:, 1]
    expected = {
        "f1": reference.f1_score(true, found),
        "recall": reference.recall_score(true, found),
        "mcc": reference.matthews_corrcoef(true, found),
        "balanced_accuracy": reference.balanced_accuracy_score(true, found),
        "roc_auc": reference.roc_auc_score(true, score),
        "average_precision": reference.average_precision_score(true, score),
        "brier": reference.brier_score_loss(true, score),
    }
    assert metric_values(two, list(expected), names(2)) == pytest.approx(expected, abs=1e-9)
    one_hot = three.targets[:, None] == np.arange(3)
    expected = {
        "f1_macro": reference.f1_score(three.targets, three.predicted, average="macro"),
        "roc_auc_macro": reference.roc_auc_score(one_hot, three.scores, average="macro"),
    }
    assert metric_values(three, list(expected), names(3)) == pytest.approx(expected, abs=1e-9)
    expected = {
        "mae": reference.mean_absolute_error(of_numbers.targets, of_numbers.scores),
        "rmse": reference.root_mean_squared_error(of_numbers.targets, of_numbers.scores),
        "r2": reference.r2_score(of_numbers.targets, of_numbers.scores),
    }
    assert metric_values(of_numbers, list(expected), []) == pytest.approx(expected, abs=1e-9)


def test_what_one_class_does_not_define_is_nan() -> None:
    two = scored(2)
    one_class = replace(two, targets=np.zeros_like(two.targets))
    values = metric_values(one_class, ["roc_auc", "average_precision", "mcc", "accuracy"], names(2))
    assert all(math.isnan(values[name]) for name in ("roc_auc", "average_precision", "mcc"))
    assert values["accuracy"] == np.mean(two.predicted == 0)


def test_margins_have_no_metrics_of_probabilities() -> None:
    margins = replace(scored(2), probabilities=False)
    values = metric_values(margins, ["log_loss", "roc_auc"], names(2))
    assert math.isnan(values["log_loss"])
    assert values["roc_auc"] > 0.5


def test_scores_that_are_not_numbers_define_nothing() -> None:
    two = scored(2)
    broken = replace(two, scores=np.where(two.scores > 0.9, np.nan, two.scores))
    assert all(map(math.isnan, metric_values(broken, ["f1", "roc_auc"], names(2)).values()))


@pytest.mark.parametrize(("task", "classes"), [("binary", 2), ("multiclass", 3), ("regression", 0)])
def test_every_metric_of_a_task_is_a_known_one(task: str, classes: int) -> None:
    assert set(task_of(task).metrics(classes)) <= set(METRICS)
