"""Curves, areas and thresholds from sorted scores equal scikit-learn's."""

import warnings
from typing import TypeVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from core.evaluation import (
    PrecisionRecallCurve,
    RankedCounts,
    RocCurve,
    Undefined,
    average_precision,
    best_f1_threshold,
    curves,
    macro_precision_recall,
    macro_roc,
    micro,
    one_vs_rest,
    precision_recall,
    roc,
    roc_auc,
    thin,
    threshold_for_precision,
    threshold_for_recall,
    threshold_table,
)
from core.evaluation.values import members_of
from tests.support.narrow import some

Sample = tuple[np.ndarray, np.ndarray]
T = TypeVar("T")


def defined(value: T | Undefined) -> T:
    """Return what has to have a value."""
    assert not isinstance(value, Undefined)
    return value


steady = settings(max_examples=150, derandomize=True, deadline=None)


@st.composite
def scored(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Scores (n,), tied or not, margins of either sign, and who is positive: some, none or all."""
    n = draw(st.integers(1, 50))
    step = draw(st.sampled_from([1.0, 0.25, 1e-6]))
    kind = draw(st.sampled_from([np.float32, np.float64]))
    scores = draw(st.lists(st.integers(-4, 4), min_size=n, max_size=n))
    noise = np.random.default_rng(draw(st.integers(0, 2**32))).normal(size=n)
    positive = draw(
        st.one_of(st.lists(st.booleans(), min_size=n, max_size=n), st.just([True] * n), st.just([False] * n))
    )
    values = np.array(scores) + np.round(noise / step) * step
    return values.astype(kind), np.array(positive)


@st.composite
def classified(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Tied or fine scores (n, classes) and targets (n,); classes may be missing."""
    n, classes = draw(st.integers(1, 40)), draw(st.integers(2, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    scores = rng.normal(size=(n, classes)).round(draw(st.sampled_from([0, 1, 9])))
    return scores, rng.integers(0, draw(st.integers(1, classes)), size=n)


@pytest.mark.slow
@steady
@given(scored())
def test_areas_are_those_of_scikit_learn_or_undefined(sample: Sample) -> None:
    scores, positive = sample
    ranked = one_vs_rest(scores, positive)

    if positive.any():
        expected = reference.average_precision_score(positive, scores)
        assert average_precision(ranked) == pytest.approx(expected, abs=1e-9)
    else:
        assert average_precision(ranked) == Undefined("no sample is of this class")
    if positive.any() and not positive.all():
        assert roc_auc(ranked) == pytest.approx(reference.roc_auc_score(positive, scores), abs=1e-9)
    else:
        assert isinstance(roc_auc(ranked), Undefined)


@pytest.mark.slow
@steady
@given(classified())
def test_class_and_micro_areas_from_the_shared_copy_are_those_of_each_alone(sample: Sample) -> None:
    scores, targets = sample
    single, pooled = curves.areas_of_classes(scores, targets)

    assert single == [curves.areas(one_vs_rest(column, targets == c)) for c, column in enumerate(scores.T)]
    assert pooled == curves.areas(micro(scores, targets))
    one_hot = targets[:, None] == np.arange(scores.shape[1])
    assert pooled[0] == pytest.approx(reference.roc_auc_score(one_hot, scores, average="micro"), abs=1e-9)
    expected = reference.average_precision_score(one_hot, scores, average="micro")
    assert pooled[1] == pytest.approx(expected, abs=1e-9)


def test_scores_are_left_as_they_were() -> None:
    scores = np.random.default_rng(0).normal(size=(30, 3))
    before = scores.copy()
    curves.areas_of_classes(scores, np.arange(30) % 3)
    micro(scores, np.arange(30) % 3)

    np.testing.assert_array_equal(scores, before)


def test_areas_do_not_depend_on_the_size_of_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    ranked = one_vs_rest(rng.normal(size=200).round(1), rng.random(200) < 0.4)
    whole = curves.areas(ranked)
    monkeypatch.setattr(curves, "POSITIVES_PER_BLOCK", 7)

    assert curves.areas(ranked) == pytest.approx(whole, abs=1e-15)


@pytest.mark.slow
@steady
@given(scored())
def test_curves_pass_through_points_of_scikit_learn_and_keep_the_area(sample: Sample) -> None:
    scores, positive = sample
    ranked = one_vs_rest(scores, positive)
    if not positive.any():
        assert isinstance(roc(ranked), Undefined)
        assert isinstance(precision_recall(ranked), Undefined)
        return
    curve = defined(precision_recall(ranked))
    assert curve.thresholds is not None
    precision, recall, thresholds = reference.precision_recall_curve(positive, scores)
    known = {t: (p, r) for t, p, r in zip(thresholds, precision, recall, strict=False)}
    assert [curve.precision[0], curve.recall[0], curve.thresholds[0]] == [1, 0, np.inf]
    for threshold, p, r in zip(curve.thresholds[1:], curve.precision[1:], curve.recall[1:], strict=True):
        assert (p, r) == pytest.approx(known[threshold], abs=1e-9)
    steps = np.diff(curve.recall) @ curve.precision[1:]
    assert steps == pytest.approx(reference.average_precision_score(positive, scores), abs=1e-9)

    if positive.all():
        assert isinstance(roc(ranked), Undefined)
        return
    rates = defined(roc(ranked))
    assert rates.thresholds is not None
    fpr, tpr, thresholds = reference.roc_curve(positive, scores, drop_intermediate=False)
    known = {t: (f, r) for t, f, r in zip(thresholds, fpr, tpr, strict=True)}
    for threshold, f, r in zip(rates.thresholds, rates.fpr, rates.tpr, strict=True):
        assert (f, r) == pytest.approx(known[threshold], abs=1e-9)
    assert (rates.fpr[-1], rates.tpr[-1]) == (1, 1)
    assert reference.auc(rates.fpr, rates.tpr) == pytest.approx(
        reference.roc_auc_score(positive, scores), abs=1e-9
    )


@pytest.mark.slow
@steady
@given(scored(), st.lists(st.floats(-6, 6), min_size=1, max_size=5))
def test_threshold_table_counts_scores_of_at_least_the_threshold(sample: Sample, wanted: list[float]) -> None:
    scores, positive = sample
    for at, point in zip(wanted, threshold_table(one_vs_rest(scores, positive), wanted), strict=True):
        said = scores.astype(np.float64) >= at
        true_negatives, false_positives, false_negatives, true_positives = reference.confusion_matrix(
            positive, said, labels=[False, True]
        ).ravel()
        assert (point.tn, point.fp, point.fn, point.tp) == (
            true_negatives,
            false_positives,
            false_negatives,
            true_positives,
        )
        assert point.precision == (pytest.approx(true_positives / said.sum()) if said.any() else None)
        assert point.recall == (pytest.approx(true_positives / positive.sum()) if positive.any() else None)
        assert point.fpr == (None if positive.all() else pytest.approx(false_positives / (~positive).sum()))
        either = (said | positive).any()
        f1 = reference.f1_score(positive, said, zero_division=0)
        assert point.f1 == (pytest.approx(f1, abs=1e-9) if either else None)


@pytest.mark.slow
@steady
@given(scored(), st.floats(0.05, 1))
def test_chosen_thresholds_are_the_best_of_all_scores(sample: Sample, wanted: float) -> None:
    scores, positive = sample
    ranked = one_vs_rest(scores, positive)
    chosen = (
        best_f1_threshold(ranked),
        threshold_for_precision(ranked, wanted),
        threshold_for_recall(ranked, wanted),
    )
    if not positive.any():
        assert chosen == (Undefined("no sample is of this class"),) * 3
        return
    every = threshold_table(ranked, np.unique(scores))
    best, precise, complete = chosen
    assert defined(best).f1 == max(some(point.f1) for point in every)
    reaching = [point for point in every if some(point.precision) >= wanted]
    if reaching:
        assert some(defined(precise).precision) >= wanted
        assert defined(precise).recall == max(some(point.recall) for point in reaching)
    else:
        assert isinstance(precise, Undefined)
        assert f"precision {wanted:g}" in precise.reason
    assert defined(complete).threshold == max(
        point.threshold for point in every if some(point.recall) >= wanted
    )


def test_a_wanted_rate_that_is_met_exactly_is_met() -> None:
    ranked = one_vs_rest(np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, False, True, False]))

    assert defined(threshold_for_precision(ranked, 2 / 3)).threshold == 0.7
    assert defined(threshold_for_precision(ranked, 0.67)).threshold == 0.9
    assert defined(threshold_for_recall(ranked, 0.5)).threshold == 0.9


def test_no_threshold_reaches_a_recall_above_one() -> None:
    ranked = one_vs_rest(np.array([0.1, 0.9]), np.array([False, True]))

    assert isinstance(threshold_for_recall(ranked, 1.01), Undefined)


def test_macro_curves_of_equal_curves_are_that_curve() -> None:
    rng = np.random.default_rng(1)
    ranked = one_vs_rest(rng.normal(size=300), rng.random(300) < 0.3)
    line, steps = defined(roc(ranked)), defined(precision_recall(ranked))
    mean = macro_roc([line, line])
    assert reference.auc(mean.fpr, mean.tpr) == pytest.approx(roc_auc(ranked), abs=2e-3)
    assert (mean.fpr[0], mean.tpr[0], mean.fpr[-1], mean.tpr[-1]) == (0, 0, 1, 1)
    mean_steps = macro_precision_recall([steps, steps])
    assert np.mean(mean_steps.precision) == pytest.approx(average_precision(ranked), abs=5e-3)


def test_macro_curves_are_means_at_equal_rates() -> None:
    perfect = RocCurve(np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 1.0]), None)
    chance = RocCurve(np.array([0.0, 1.0]), np.array([0.0, 1.0]), None)
    mean = macro_roc([perfect, chance], points=3)
    assert mean.fpr.tolist() == [0, 0, 0.5, 1]
    assert mean.tpr.tolist() == [0, 0.5, 0.75, 1]

    high = PrecisionRecallCurve(np.array([0.0, 1.0]), np.array([1.0, 1.0]), None)
    falling = PrecisionRecallCurve(np.array([0.0, 0.5, 1.0]), np.array([1.0, 0.8, 0.4]), None)
    assert macro_precision_recall([high, falling], points=3).precision.tolist() == pytest.approx(
        [1, 0.9, 0.7]
    )


@steady
@given(st.integers(0, 2**32), st.integers(1, 20))
def test_thinning_keeps_ends_and_extremes_of_every_column(seed: int, columns: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = np.sort(rng.random(500)), rng.random(500)
    kept = thin(x, y, columns)

    assert len(kept) <= 4 * columns
    assert kept[0] == 0
    assert kept[-1] == 499
    for column in range(columns):
        inside = (x >= column / columns) & (x < (column + 1) / columns)
        if inside.any():
            chosen = y[kept][inside[kept]]
            assert (chosen.min(), chosen.max()) == (y[inside].min(), y[inside].max())


def test_short_curves_are_not_thinned() -> None:
    x = np.linspace(0, 1, 40)

    assert thin(x, x, columns=10).tolist() == list(range(40))


def test_no_samples_at_all_is_undefined() -> None:
    nothing = RankedCounts(np.empty(0), np.empty(0))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert isinstance(roc(nothing), Undefined)
        assert isinstance(average_precision(nothing), Undefined)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("lowest", [-2, 0])
def test_areas_of_classes_with_ties_and_zeros_of_both_signs_are_those_of_scikit_learn(
    kind: type, lowest: int
) -> None:
    rng = np.random.default_rng(1)
    scores: np.ndarray = rng.integers(lowest, 4, (300, 3)).astype(kind)
    targets = rng.integers(0, 3, 300)
    scores[::2] *= np.where(scores[::2] == 0, -1, 1)
    single, pooled = curves.areas_of_classes(scores, targets)
    pairs = targets[:, None] == np.arange(3)
    for true, given_scores, (auc, precision) in (
        *zip(pairs.T, scores.T, single, strict=True),
        (pairs.ravel(), scores.ravel(), pooled),
    ):
        assert defined(auc) == pytest.approx(reference.roc_auc_score(true, given_scores), abs=1e-12)
        expected = reference.average_precision_score(true, given_scores)
        assert defined(precision) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("classes", [1, 3, 300])
def test_members_of_classes_are_their_positions(classes: int) -> None:
    numbers = np.random.default_rng(2).integers(0, classes, 500)
    found = members_of(numbers, classes)
    assert [each.tolist() for each in found] == [
        np.flatnonzero(numbers == label).tolist() for label in range(classes)
    ]
