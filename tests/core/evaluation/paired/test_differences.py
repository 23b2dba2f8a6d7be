"""Two models on the same samples: against other implementations, and by simulation."""

import numpy as np
import pytest
from scipy import stats

from core.evaluation import Predictions
from core.evaluation.paired import paired_differences, same_samples
from core.evaluation.paired.shares import share_difference
from core.tasks.evaluation import evaluate

NAMES = ["no", "yes"]


def model(targets: np.ndarray, rng: np.random.Generator, skill: float = 1.3) -> Predictions:
    """Probabilities of a calibrated model whose scores are normal."""
    odds = 2 * skill * (skill * (2 * targets - 1) + rng.normal(size=len(targets)))
    second = 1 / (1 + np.exp(-odds))
    return Predictions(np.stack([1 - second, second], axis=1), targets, np.arange(len(targets)), True)


def metrics(predictions: Predictions) -> dict[str, float]:
    report = evaluate(predictions, task="binary", class_names=NAMES, split="test", intervals=False)
    return {name: value for name, value in report.metrics.items() if value is not None}


def test_accuracy_has_the_exact_test_of_mcnemar() -> None:
    targets = np.zeros(60, dtype=np.int64)
    both = [np.r_[np.ones(wrong), np.zeros(60 - wrong)].astype(np.int64) for wrong in (9, 2)]
    first, second = (Predictions(np.eye(2)[given], targets, np.arange(60), True) for given in both)
    found = paired_differences(first, second, {"accuracy": 51 / 60 - 58 / 60})["accuracy"]

    assert found.p == pytest.approx(stats.binomtest(0, 7).pvalue)
    assert found.value == pytest.approx(-7 / 60)
    assert found.interval[0] < -7 / 60
    assert found.interval[1] < 0


def test_a_standard_error_of_areas_is_that_of_delong() -> None:
    rng = np.random.default_rng(0)
    targets = np.arange(80) % 2
    first, second = model(targets, rng), model(targets, rng, skill=0.8)
    difference = metrics(first)["roc_auc"] - metrics(second)["roc_auc"]
    found = paired_differences(first, second, {"roc_auc": difference})["roc_auc"]

    def placements(predictions: Predictions) -> tuple[np.ndarray, np.ndarray]:
        score, positive = predictions.scores[:, 1], targets == 1
        above = score[positive][:, None] > score[~positive][None]
        return above.mean(axis=1), above.mean(axis=0)

    of_positives, of_negatives = (a - b for a, b in zip(placements(first), placements(second), strict=True))
    error = np.sqrt(of_positives.var() / 40 + of_negatives.var() / 40)
    width = stats.t(39).ppf(0.975) * error
    assert found.p == pytest.approx(2 * stats.t(39).sf(difference / error), rel=1e-9)
    assert found.interval[0] < difference - width < difference + width < found.interval[1]


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["f1_macro", "log_loss", "roc_auc"])
def test_the_interval_is_that_of_resampled_pairs(metric: str) -> None:
    rng = np.random.default_rng(1)
    targets = np.arange(400) % 2
    first, second = model(targets, rng), model(targets, rng, skill=1.0)
    found = paired_differences(first, second, {metric: metrics(first)[metric] - metrics(second)[metric]})[
        metric
    ]
    resampled = []
    for _ in range(200):
        rows = rng.integers(0, 400, 400)
        both = [Predictions(each.scores[rows], targets[rows], rows, True) for each in (first, second)]
        resampled.append(metrics(both[0])[metric] - metrics(both[1])[metric])

    low, high = np.percentile(resampled, [2.5, 97.5])
    assert found.interval == pytest.approx((low, high), abs=0.25 * (high - low))


@pytest.mark.parametrize(
    ("only_first", "only_second", "n", "interval"),
    [(0, 1, 44, (-0.118, 0.059)), (0, 14, 44, (-0.466, -0.200)), (0, 0, 12, (-0.2425, 0.2425))],
)
def test_shares_have_the_interval_of_tango(
    only_first: int, only_second: int, n: int, interval: tuple[float, float]
) -> None:
    hits = np.r_[np.ones(only_first), -np.ones(only_second), np.zeros(n - only_first - only_second)]
    _, found, _ = share_difference(hits.astype(np.int64), 0.05)
    assert found == pytest.approx(interval, abs=1e-3)


def test_intervals_of_shares_cover_and_agree_with_the_exact_test() -> None:
    n, chance = 12, {(1, 0): 0.14, (0, 1): 0.06, (0, 0): 0.8}
    held = 0.0
    for better in range(n + 1):
        for worse in range(n + 1 - better):
            hits = np.r_[np.ones(better), -np.ones(worse), np.zeros(n - better - worse)].astype(np.int64)
            value, (low, high), p = share_difference(hits, 0.05)
            assert low <= value <= high
            assert (low <= 0 <= high) == (p >= 0.05)
            counts = [better, worse, n - better - worse]
            held += (low <= 0.08 <= high) * stats.multinomial.pmf(counts, n, list(chance.values()))
    assert held >= 0.95


@pytest.mark.parametrize("metric", ["accuracy", "f1_macro", "mcc", "roc_auc", "average_precision"])
def test_models_that_agree_on_a_few_samples_are_not_equal_for_certain(metric: str) -> None:
    targets = np.arange(20) % 2
    second = np.stack([np.where(targets == 1, other, 1 - other) for other in (0.9, 0.8)])
    first, other = (
        Predictions(np.stack([1 - each, each], axis=1), targets, np.arange(20), True) for each in second
    )
    found = paired_differences(first, other, {metric: 0.0})[metric]
    assert found.p == 1
    assert found.interval[0] < -0.1 < 0.1 < found.interval[1]
    more = [
        Predictions(np.tile(each.scores, (50, 1)), np.tile(targets, 50), np.arange(1000), True)
        for each in (first, other)
    ]
    assert paired_differences(more[0], more[1], {metric: 0.0})[metric].interval[1] < 0.01


def test_scores_of_a_class_with_hardly_any_samples_are_not_compared() -> None:
    rng = np.random.default_rng(7)
    targets = np.r_[np.zeros(46), np.ones(4)].astype(np.int64)
    first, second = model(targets, rng), model(targets, rng)
    assert set(paired_differences(first, second, {"roc_auc": 0.1, "log_loss": 0.1, "f1_macro": 0.1})) == {
        "f1_macro"
    }


def test_few_samples_that_all_speak_for_one_model_do_not_make_a_difference_clear() -> None:
    targets = np.repeat([0, 1, 2], 4)
    collapsed = np.where(targets == 2, 1, targets)
    right, wrong = (
        Predictions(np.eye(3)[given], targets, np.arange(12), True) for given in (targets, collapsed)
    )
    found = paired_differences(right, wrong, {"accuracy": 1 / 3, "balanced_accuracy": 1 / 3, "f1_macro": 0.4})
    assert found["accuracy"].p == pytest.approx(stats.binomtest(4, 4).pvalue)
    assert min(difference.p for difference in found.values()) > 0.1


@pytest.mark.slow
def test_equal_models_are_rarely_told_apart_and_large_differences_always() -> None:
    rng = np.random.default_rng(2)
    worse = dict.fromkeys(("accuracy", "f1_macro", "log_loss", "roc_auc"), 0)
    for _ in range(60):
        targets = rng.integers(0, 2, 100)
        models = [model(targets, rng) for _ in range(8)]
        values = [metrics(each) for each in models]
        for metric in worse:
            sign = -1 if metric == "log_loss" else 1
            best = max(range(8), key=lambda place: sign * values[place][metric])
            found = [
                paired_differences(
                    models[best], models[place], {metric: values[best][metric] - values[place][metric]}, 28
                )[metric]
                for place in range(8)
                if place != best
            ]
            worse[metric] += any(difference.is_clear for difference in found)
    assert max(worse.values()) <= 3, worse

    targets = np.arange(300) % 2
    good, bad = model(targets, rng, 2.0), model(targets, rng, 0.5)
    for metric in worse:
        value = metrics(good)[metric] - metrics(bad)[metric]
        assert paired_differences(good, bad, {metric: value}, 28)[metric].is_clear, metric


def test_numbers_are_compared_by_their_errors() -> None:
    rng = np.random.default_rng(3)
    targets = rng.normal(size=200)
    both = [
        Predictions(targets + scale * rng.normal(size=200), targets, np.arange(200), False)
        for scale in (0.1, 0.3)
    ]
    errors = [np.abs(each.targets - each.scores) for each in both]
    value = float(errors[0].mean() - errors[1].mean())
    found = paired_differences(both[0], both[1], {"mae": value, "rmse": -0.2, "r2": 0.08})

    assert found["mae"].p == pytest.approx(stats.ttest_rel(*errors).pvalue, rel=0.1, abs=1e-12)
    assert all(difference.is_clear for difference in found.values())


@pytest.mark.parametrize(
    "name", ["accuracy", "f1_macro", "roc_auc", "average_precision", "log_loss", "brier"]
)
def test_a_metric_alone_is_compared_as_it_is_among_all(name: str) -> None:
    rng = np.random.default_rng(1)
    targets = np.arange(40) % 2
    first, second = model(targets, rng), model(targets, rng, skill=0.6)
    both = metrics(first), metrics(second)
    values = {each: both[0][each] - both[1][each] for each in both[0]}
    assert (
        paired_differences(first, second, values)[name]
        == (paired_differences(first, second, {name: values[name]})[name])
    )


def test_the_same_samples_are_those_of_the_same_places_and_targets() -> None:
    rng = np.random.default_rng(4)
    targets = np.arange(20) % 2
    first = model(targets, rng)

    assert same_samples(first, model(targets, rng))
    assert not same_samples(first, model(1 - targets, rng))
    assert not same_samples(first, model(targets[:10], rng))
    found = paired_differences(first, first, {"accuracy": 0.0, "log_loss": 0.0})
    assert {name: difference.p for name, difference in found.items()} == {"accuracy": 1.0, "log_loss": 1.0}
