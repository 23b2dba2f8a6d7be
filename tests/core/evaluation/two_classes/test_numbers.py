"""Numbers of two classes against scikit-learn and SciPy."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from core.evaluation.predictions import Predictions
from core.evaluation.two_classes.numbers import lift_at, lift_curve, two_class_numbers
from core.evaluation.two_classes.steps import steps_of


def made(n: int, strength: float, seed: int, share: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    targets = (np.arange(n) < round(n * share)).astype(np.int64)
    return 1 / (1 + np.exp(-(rng.normal(size=n) + strength * targets - strength / 2))), targets


def predictions_of(scores: np.ndarray, targets: np.ndarray, **more: np.ndarray) -> Predictions:
    return Predictions(np.stack([1 - scores, scores], axis=1), targets, np.arange(len(scores)), True, **more)


@pytest.mark.slow
@pytest.mark.parametrize("digits", [1, 2, 16])
@pytest.mark.parametrize("weighted", [False, True])
def test_all_are_those_of_scikit_learn_and_scipy(digits: int, weighted: bool) -> None:
    scores, targets = made(300, 1.2, digits, share=0.3)
    scores = scores.round(digits)
    weights = np.random.default_rng(1).integers(1, 4, 300).astype(np.float64) if weighted else None
    some = {} if weights is None else {"weights": weights}
    for beta, max_fpr in ((0.5, 0.05), (2.0, 0.1), (1.0, 0.73), (1.0, 1.0)):
        found = {
            each.key: each
            for each in two_class_numbers(predictions_of(scores, targets, **some), beta=beta, max_fpr=max_fpr)
        }
        wanted = metrics.fbeta_score(targets, scores >= 0.5, beta=beta, sample_weight=weights)
        assert found["f_beta"].value == pytest.approx(wanted, abs=1e-9)
        area = metrics.roc_auc_score(targets, scores, max_fpr=max_fpr, sample_weight=weights)
        assert found["partial_auc"].value == pytest.approx(area, abs=1e-9)
    times = np.ones(300, dtype=np.int64) if weights is None else weights.astype(np.int64)
    ones, zeros = (np.repeat(scores, times * (targets == label)) for label in (1, 0))
    test = stats.ks_2samp(ones, zeros)
    assert found["ks"].value == pytest.approx(test.statistic, abs=1e-9)
    at = found["ks"].at
    assert at is not None
    assert abs((ones >= at).mean() - (zeros >= at).mean()) == pytest.approx(test.statistic, abs=1e-9)
    for each in found.values():
        assert each.value is not None
        assert each.interval is not None
        assert each.interval[0] <= each.value <= each.interval[1]


def test_lift_counts_the_positives_among_those_that_score_highest() -> None:
    scores, targets = made(200, 1.0, 5, share=0.2)
    order = np.argsort(-scores)
    steps = steps_of(scores, targets == 1)
    for share in (0.05, 0.1, 0.5, 1.0):
        top = order[: round(200 * share)]
        assert lift_at(steps, share) == pytest.approx(targets[top].mean() / targets.mean(), abs=1e-12)
    shares, lift = lift_curve(steps)
    assert shares[0] >= 1 / 200
    assert (shares[-1], lift[-1]) == (1, pytest.approx(1))
    # of equal scores any part is as good as any other
    assert lift_at(steps_of(np.full(200, 0.5), targets == 1), 0.1) == pytest.approx(1)


def test_where_there_is_no_interval_a_reason_stands() -> None:
    scores, targets = made(60, 1.0, 1)
    few = two_class_numbers(predictions_of(scores[26:], targets[26:]))
    assert {each.interval for each in few} == {None}
    assert "a class has 4 samples" in few[0].reason
    grouped = two_class_numbers(predictions_of(scores, targets, groups=np.arange(60) // 10))
    assert "the samples are of 6 groups, fewer than the 10" in grouped[0].reason
    alone = two_class_numbers(predictions_of(scores[:30], targets[:30]))
    assert {(each.value, each.reason) for each in alone} == {(None, "all samples are of one class")}
    with pytest.raises(ValueError, match="beta is 0"):
        two_class_numbers(predictions_of(scores, targets), beta=0)
    with pytest.raises(ValueError, match=r"rate is 1\.5"):
        two_class_numbers(predictions_of(scores, targets), max_fpr=1.5)


@pytest.mark.slow
def test_groups_make_intervals_wider() -> None:
    rng = np.random.default_rng(0)
    groups = np.arange(400) // 10
    targets = rng.integers(0, 2, 400)
    scores = 1 / (1 + np.exp(1 - 2 * targets - 2 * rng.normal(size=40)[groups] - 0.3 * rng.normal(size=400)))
    alone = two_class_numbers(predictions_of(scores, targets))
    single = two_class_numbers(predictions_of(scores, targets, groups=np.arange(400)))
    assert single == alone
    grouped = two_class_numbers(predictions_of(scores, targets, groups=groups))
    for one, other in zip(grouped, alone, strict=True):
        assert (one.value, one.at) == (other.value, other.at)
        assert one.interval is not None
        assert other.interval is not None
        assert one.interval[0] <= (one.value or 0) <= one.interval[1]
        assert one.interval[1] - one.interval[0] >= other.interval[1] - other.interval[0]
    f_beta, before = grouped[0].interval, alone[0].interval
    assert f_beta is not None
    assert before is not None
    assert f_beta[1] - f_beta[0] > 1.5 * (before[1] - before[0])
    for one in grouped:
        share = float(one.key.removeprefix("lift_")) / 100 if one.key.startswith("lift_") else 1.0
        assert one.interval is not None
        assert 0 <= one.interval[0] <= one.interval[1] <= 1 / share + 1e-9


@pytest.mark.heavy
def test_intervals_of_groups_hold_the_true_value() -> None:
    def draw(groups: int, rng: np.random.Generator) -> Predictions:
        of_group = np.arange(10 * groups) // 10
        targets = (rng.random(10 * groups) < 0.4).astype(np.int64)
        noise = rng.normal(size=10 * groups) + rng.normal(size=groups)[of_group]
        return predictions_of(1 / (1 + np.exp(-(noise + 1.5 * targets - 0.7))), targets, groups=of_group)

    rng = np.random.default_rng(1)
    many = draw(20_000, rng)
    true = {each.key: each.value for each in two_class_numbers(replace(many, groups=None))}
    held = dict.fromkeys(true, 0)
    for _ in range(30):
        for each in two_class_numbers(draw(15, rng)):
            assert each.interval is not None
            held[each.key] += each.interval[0] <= (true[each.key] or 0) <= each.interval[1]
    assert min(held.values()) >= 26, held
