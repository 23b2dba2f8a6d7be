"""Models on the same samples where these come in groups or have weights."""

from dataclasses import replace

import numpy as np
import pytest

from core.evaluation import Predictions
from core.evaluation.paired import paired_differences, same_samples
from core.evaluation.paired.influences import influences_of
from core.tasks.evaluation import evaluate

METRICS = ("accuracy", "f1_macro", "roc_auc", "log_loss")


def model(targets: np.ndarray, noise: np.ndarray, skill: float = 1.3) -> Predictions:
    odds = 2 * skill * (skill * (2 * targets - 1) + noise)
    second = 1 / (1 + np.exp(-odds))
    return Predictions(np.stack([1 - second, second], axis=1), targets, np.arange(len(targets)), True)


def metrics(predictions: Predictions) -> dict[str, float]:
    report = evaluate(predictions, task="binary", class_names=["no", "yes"], split="test", intervals=False)
    return {name: value for name, value in report.metrics.items() if value is not None}


def told_apart(groups: np.ndarray | None, rounds: int) -> dict[str, int]:
    """How often any of eight equal models is called worse; their errors in a group go together."""
    rng, n = np.random.default_rng(5), 120
    codes = np.arange(n) // 10
    worse = dict.fromkeys(METRICS, 0)
    for _ in range(rounds):
        targets = rng.integers(0, 2, n)
        models = [
            replace(
                model(targets, 0.5 * rng.normal(size=n) + 0.9 * rng.normal(size=12)[codes]), groups=groups
            )
            for _ in range(8)
        ]
        values = [metrics(each) for each in models]
        for metric in METRICS:
            sign = -1 if metric == "log_loss" else 1
            best = max(range(8), key=lambda place: sign * values[place][metric])
            worse[metric] += any(
                paired_differences(
                    models[best], models[place], {metric: values[best][metric] - values[place][metric]}, 28
                )[metric].is_clear
                for place in range(8)
                if place != best
            )
    return worse


@pytest.mark.slow
def test_equal_models_whose_errors_go_together_are_told_apart_only_where_groups_are_not_known() -> None:
    assert max(told_apart(np.arange(120) // 10, 40).values()) <= 2
    assert min(told_apart(None, 10).values()) >= 2, "the simulation shows what groups are for"


def test_a_difference_in_every_group_is_clear_and_too_few_groups_show_none() -> None:
    targets, wrong = np.zeros(200, dtype=np.int64), np.arange(200) % 6 == 0
    groups = np.arange(200) // 10
    good, bad = (
        Predictions(np.eye(2)[given], targets, np.arange(200), True, groups=groups)
        for given in (np.zeros(200, dtype=np.int64), wrong.astype(np.int64))
    )
    value = {"accuracy": float(wrong.mean())}
    assert paired_differences(good, bad, value, 28)["accuracy"].is_clear
    few = [replace(each, groups=groups // 5) for each in (good, bad)]
    assert paired_differences(few[0], few[1], value) == {}
    assert not same_samples(good, few[1])


def test_a_weight_is_what_as_many_equal_samples_are() -> None:
    rng = np.random.default_rng(6)
    targets, weights = np.arange(60) % 2, rng.integers(1, 4, 60)
    single = [replace(model(targets, rng.normal(size=60)), weights=weights.astype(np.float64)) for _ in "ab"]
    rows = np.repeat(np.arange(60), weights)
    repeated = [replace(each, weights=None).rows(rows) for each in single]
    weighted, plain = ([influences_of(each) for each in (one, other)] for one, other in (single, repeated))

    for name in ("roc_auc", "average_precision_macro", "f1_macro", "mcc", "log_loss", "brier"):
        for first, second in zip(weighted, plain, strict=True):
            summed = np.bincount(rows, weights=second[name])
            assert first[name] * weights.mean() == pytest.approx(summed, rel=1e-3, abs=1e-6), name
    value = metrics(single[0])["accuracy"] - metrics(single[1])["accuracy"]
    found = paired_differences(single[0], single[1], {"accuracy": value})["accuracy"]
    assert found.value == value
    assert found.interval[0] < value < found.interval[1]


def test_models_without_a_mistake_are_equal_whatever_the_weights_round_to() -> None:
    rng = np.random.default_rng(7)
    targets, weights = np.arange(50) % 2, rng.lognormal(size=50)
    both = [replace(model(targets, rng.normal(size=50) / 50, 3.0), weights=weights) for _ in "ab"]
    values = [metrics(each)["roc_auc"] for each in both]
    assert values == [1.0, 1.0]
    assert paired_differences(both[0], both[1], {"roc_auc": 3e-16})["roc_auc"].p == 1.0


def test_a_sample_that_weighs_nothing_changes_nothing_wherever_it_ranks() -> None:
    rng = np.random.default_rng(3)
    targets = np.arange(80) % 2
    first, second = (model(targets, rng.normal(size=80)) for _ in range(2))
    weights = np.ones(80)
    weights[0] = 0
    for extreme in (1 - 1e-9, 1e-9):
        some = []
        for each in (first, second):
            scores = each.scores.copy()
            scores[0] = [1 - extreme, extreme]
            some.append(replace(each, scores=scores, weights=weights))
        values = {name: metrics(some[0])[name] - metrics(some[1])[name] for name in METRICS}
        found = paired_differences(some[0], some[1], values)
        alone = [each.rows(np.arange(1, 80)) for each in (first, second)]
        wanted = paired_differences(alone[0], alone[1], values)
        for name in ("roc_auc", "log_loss"):
            assert found[name].value == pytest.approx(wanted[name].value)
            assert found[name].p == pytest.approx(wanted[name].p, rel=0.1)


def test_a_class_that_weighs_nothing_has_no_influence_on_areas() -> None:
    targets = np.arange(20) % 2
    given = replace(model(targets, np.zeros(20)), weights=targets.astype(np.float64))
    assert not influences_of(given)["roc_auc"].any()
