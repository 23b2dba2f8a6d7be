"""Thresholds of two classes by rules, compared with trying every threshold."""

import numpy as np
import pytest
from sklearn import metrics

from core.evaluation.calibration import tempered
from core.evaluation.curves import one_vs_rest
from core.evaluation.predictions import Predictions
from core.evaluation.two_classes.decision import Decision, Rule, choose
from core.evaluation.values import Undefined
from core.tasks.evaluation import evaluate

RNG = np.random.default_rng(3)
TARGETS = (RNG.random(200) < 0.3).astype(np.int64)
SCORES = (1 / (1 + np.exp(-(RNG.normal(size=200) + 1.5 * TARGETS - 1)))).round(2)
EVERY = [*np.unique(SCORES), 1.1]


def decided(rule: Rule) -> np.ndarray:
    found = choose(one_vs_rest(SCORES, TARGETS == 1), rule)
    assert isinstance(found, Decision)
    assert found.threshold not in SCORES  # between two scores: rounding does not decide
    called: np.ndarray = np.asarray(found.threshold <= SCORES)
    return called


@pytest.mark.slow
def test_no_other_threshold_does_better() -> None:
    every = [threshold <= SCORES for threshold in EVERY]
    f1 = [metrics.f1_score(TARGETS, each, zero_division=0) for each in every]
    assert metrics.f1_score(TARGETS, decided(Rule("f1"))) == max(f1)
    precision = [metrics.precision_score(TARGETS, each, zero_division=0) for each in every]
    recall = [metrics.recall_score(TARGETS, each) for each in every]
    chosen = decided(Rule("precision", 0.7))
    assert metrics.precision_score(TARGETS, chosen) >= 0.7
    best = max(of for of, reached in zip(recall, precision, strict=True) if reached >= 0.7)
    assert metrics.recall_score(TARGETS, chosen) == best
    chosen = decided(Rule("recall", 0.9))
    assert metrics.recall_score(TARGETS, chosen) >= 0.9
    best = max(of for of, reached in zip(precision, recall, strict=True) if reached >= 0.9)
    assert metrics.precision_score(TARGETS, chosen) == pytest.approx(best, abs=1e-12)
    for costs in ((1, 1), (1, 10), (5, 1), (0, 1), (1, 0)):
        rule = Rule("costs", false_positive=costs[0], false_negative=costs[1])

        def cost(called: np.ndarray, costs: tuple[int, int] = costs) -> float:
            false_positive, false_negative = (called & (TARGETS == 0)).sum(), (~called & (TARGETS == 1)).sum()
            return float(costs[0] * false_positive + costs[1] * false_negative)

        found = choose(one_vs_rest(SCORES, TARGETS == 1), rule)
        assert isinstance(found, Decision)
        assert cost(found.threshold <= SCORES) == min(map(cost, every))


def test_what_no_threshold_gives_has_a_reason() -> None:
    hopeless = one_vs_rest(np.array([0.1, 0.9, 0.5]), np.array([True, False, False]))
    found = choose(hopeless, Rule("precision", 0.9))
    assert isinstance(found, Undefined)
    assert "no threshold reaches precision 0.9" in found.reason
    # where a false alarm costs most, no sample is called positive
    none = choose(hopeless, Rule("costs", false_positive=100.0))
    assert isinstance(none, Decision)
    assert none.threshold > 0.9
    for rule in ({"goal": "recall", "at_least": 1.5}, {"goal": "costs", "false_positive": -1.0}):
        with pytest.raises(ValueError, match=r"outside|negative"):
            Rule(**rule)  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(ValueError, match="both 0"):
        Rule("costs", false_positive=0, false_negative=0)


def test_a_report_counts_by_the_threshold_but_probabilities_stay() -> None:
    both = np.stack([1 - SCORES, SCORES], axis=1)
    plain = Predictions(both, TARGETS, np.arange(200), True)
    strict = Predictions(both, TARGETS, np.arange(200), True, thresholds=np.array([0.7]))
    before, after = (
        evaluate(each, task="binary", class_names=["no", "yes"], split="test") for each in (plain, strict)
    )
    called = SCORES >= 0.7
    assert after.metrics["precision"] == metrics.precision_score(TARGETS, called)
    assert after.metrics["recall"] == metrics.recall_score(TARGETS, called)
    assert after.metrics["specificity"] == metrics.recall_score(TARGETS, called, pos_label=0)
    low, high = after.intervals["specificity"]
    assert low < metrics.recall_score(TARGETS, called, pos_label=0) < high
    assert after.confusion == metrics.confusion_matrix(TARGETS, called).tolist()
    for name in ("ece", "log_loss", "brier", "roc_auc", "average_precision"):
        assert after.metrics[name] == before.metrics[name]
    assert after.threshold == 0.7
    assert "0.7 or more" in after.decision
    assert before.threshold is None
    assert type(after).from_dict(after.to_dict()) == after


def test_a_temperature_moves_a_threshold_with_the_scores() -> None:
    both = np.stack([1 - SCORES, SCORES], axis=1).clip(1e-6, 1 - 1e-6)
    warm = tempered(both, 2.5)[:, 1]
    moved = 1 / (1 + np.exp(-np.log(0.305 / 0.695) / 2.5))
    assert np.array_equal(warm >= moved, both[:, 1] >= 0.305)
