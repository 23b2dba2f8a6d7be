"""Thresholds of labels."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score

from core.evaluation.multilabel.pairs import by_mistakes, mistakes_of_label
from core.evaluation.multilabel.thresholds import choose_thresholds, decide_labels
from core.evaluation.predictions import Predictions
from core.evaluation.two_classes.decision import Decision, Rule
from core.evaluation.values import Undefined


def given(
    scores: list[list[float]], targets: list[list[int]], thresholds: np.ndarray | None = None
) -> Predictions:
    numbers = np.array(scores, dtype=np.float32)
    return Predictions(numbers, np.array(targets, dtype=np.uint8), np.arange(len(numbers)), True, thresholds)


@pytest.mark.slow
def test_the_threshold_has_the_highest_f1_of_all() -> None:
    rng = np.random.default_rng(0)
    targets = (rng.random((50, 3)) < 0.3).astype(np.uint8)
    scores = (0.3 * targets + 0.7 * rng.random((50, 3))).astype(np.float32)
    chosen = choose_thresholds(Predictions(scores, targets, np.arange(50), True), ["a", "b", "c"])
    for label in range(3):
        truth, of_label = targets[:, label], scores[:, label]
        best = max(f1_score(truth, of_label >= at) for at in of_label)
        assert f1_score(truth, of_label >= chosen.values[label]) == best
    assert chosen.without == ()


def test_a_threshold_lies_between_two_scores_so_that_rounding_does_not_decide() -> None:
    predictions = given([[0.2], [0.4], [0.8], [0.9]], [[0], [0], [1], [1]])
    assert choose_thresholds(predictions, ["a"]).values.round(6).tolist() == [0.6]


def test_labels_that_validation_lacks_keep_the_default() -> None:
    predictions = given([[0.2, 0.9, 0.1], [0.9, 0.8, 0.7]], [[1, 0, 1], [1, 0, 0]])
    chosen = choose_thresholds(predictions, ["always", "never", "some"])
    assert chosen.without == ("always", "never")
    assert chosen.values[:2].tolist() == [0.5, 0.5]


@pytest.mark.slow
def test_no_other_threshold_of_a_label_fits_a_rule_better() -> None:
    rng = np.random.default_rng(1)
    targets = (rng.random((80, 3)) < [0.2, 0.5, 0.7]).astype(np.uint8)
    scores = (0.4 * targets + 0.6 * rng.random((80, 3))).round(2)
    predictions = Predictions(scores, targets, np.arange(80), True)
    rules = (Rule("precision", 0.8), Rule("recall", 0.9), Rule("costs", false_negative=5))
    for rule in rules:
        found = decide_labels(predictions, rule, [0, 2])
        assert [*found] == [0, 2]
        for label, decision in found.items():
            assert isinstance(decision, Decision)
            assert decision.rule == rule
            truth, of_label = targets[:, label], scores[:, label]
            every = [threshold <= of_label for threshold in [*np.unique(of_label), 2.0]]
            called = decision.threshold <= of_label
            if rule.goal == "costs":
                costs = [(each & (truth == 0)).sum() + 5 * (~each & (truth == 1)).sum() for each in every]
                assert (called & (truth == 0)).sum() + 5 * (~called & (truth == 1)).sum() == min(costs)
                continue
            if rule.goal == "recall":
                fitting = [each for each in every if recall_score(truth, each) >= 0.9]
                assert recall_score(truth, called) >= 0.9
                assert (called & (truth == 0)).sum() == min((each & (truth == 0)).sum() for each in fitting)
                continue
            fitting = [each for each in every if precision_score(truth, each, zero_division=0) >= 0.8]
            assert precision_score(truth, called) >= 0.8
            assert recall_score(truth, called) == max(recall_score(truth, each) for each in fitting)


def test_a_label_that_no_threshold_fits_has_a_reason() -> None:
    predictions = given([[0.2, 0.9, 0.9], [0.9, 0.8, 0.2]], [[1, 0, 1], [0, 0, 1]])
    found = decide_labels(predictions, Rule("precision", 0.9), range(3))
    reasons = [each.reason for each in found.values() if isinstance(each, Undefined)]
    assert reasons[0] == "no threshold reaches precision 0.9; the highest is 0.5000"
    assert reasons[1:] == ["no sample has this label", "all samples have this label"]


def test_predictions_keep_their_thresholds(tmp_path: Path) -> None:
    predictions = given([[0.2, 0.9]], [[1, 0]], thresholds=np.array([0.1, 0.95]))
    assert predictions.predicted.tolist() == [[1, 0]]
    predictions.save(tmp_path / "predictions.npz")
    assert Predictions.load(tmp_path / "predictions.npz").predicted.tolist() == [[1, 0]]
    assert given([[0.2, 0.9]], [[1, 0]]).predicted.tolist() == [[0, 1]]


def test_mistakes_come_with_most_wrong_labels_first_then_the_surest() -> None:
    predictions = given([[0.9, 0.9], [0.6, 0.1], [0.99, 0.1], [0.9, 0.1]], [[0, 0], [0, 0], [0, 0], [1, 0]])
    assert by_mistakes(predictions, 10).tolist() == [0, 2, 1]
    assert by_mistakes(predictions, 1).tolist() == [0]
    assert mistakes_of_label(predictions, 0, 10).tolist() == [2, 0, 1]
    for label, at in itertools.product([1], [1, 5]):
        assert mistakes_of_label(predictions, label, at).tolist() == [0]
