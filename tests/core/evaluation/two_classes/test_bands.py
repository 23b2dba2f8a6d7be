"""Bands around ROC and precision-recall curves hold the true curve."""

from dataclasses import replace

import numpy as np
import pytest

from core.evaluation.curve_sets import Curve, CurveKind, curves_of
from core.evaluation.predictions import Predictions
from core.evaluation.two_classes.bands import Band, band_of
from core.evaluation.values import Undefined
from core.tasks.evaluation import evaluate
from tests.core.evaluation.two_classes.test_numbers import made, predictions_of

AT = np.array([5, 10, 20, 30, 50, 70, 90])


def curve_of(n: int, strength: float, seed: int, share: float = 0.5) -> Curve:
    predictions = predictions_of(*made(n, strength, seed, share))
    report = evaluate(predictions, task="binary", class_names=["no", "yes"], split="test", intervals=False)
    return curves_of(predictions, report)[1]


def heights(curve: Curve, kind: CurveKind) -> np.ndarray:
    line = curve.lines[kind]
    assert line is not None
    x, y = line
    if kind == "roc":
        return np.interp(AT / 100, x, y)
    return y[np.minimum(np.searchsorted(x, AT / 100, side="left"), len(x) - 1)]


@pytest.mark.parametrize("kind", ["roc", "pr"])
def test_a_band_surrounds_its_curve_and_shrinks_with_more_samples(kind: CurveKind) -> None:
    widths = []
    for n in (60, 600):
        curve = curve_of(n, 1.5, n)
        band = band_of(curve, kind)
        assert isinstance(band, Band)
        found = heights(curve, kind)
        assert (band.low[AT] <= found + 1e-9).all()
        assert (found <= band.high[AT] + 1e-9).all()
        widths.append(float((band.high - band.low)[AT].mean()))
    assert widths[1] < 0.6 * widths[0]
    perfect = band_of(curve_of(40, 40.0, 1), kind)
    assert isinstance(perfect, Band)
    assert perfect.low[AT].max() < 1, "no mistake in 40 samples is no certainty"
    assert band_of(replace(curve, worth=None, no_worth="why"), kind) == Undefined("why")
    few = band_of(curve_of(20, 1.0, 1, share=0.2), kind)
    assert isinstance(few, Undefined)
    assert "worth 4 samples, fewer than the 5" in few.reason


@pytest.mark.heavy
def test_bands_hold_the_true_curve_at_each_place() -> None:
    true = curve_of(100_000, 1.5, 0)
    kinds: tuple[CurveKind, ...] = ("roc", "pr")
    for kind in kinds:
        held = np.zeros(len(AT))
        for seed in range(1, 41):
            band = band_of(curve_of(40, 1.5, seed), kind)
            assert isinstance(band, Band)
            there = heights(true, kind)
            held += (band.low[AT] <= there + 1e-9) & (there <= band.high[AT] + 1e-9)
        assert held.min() >= 36, held


def answers(n: int, seed: int, *, classes: int = 4, group: int = 1, labels: bool = False) -> Predictions:
    """Predictions of classes, or of labels, whose scores are alike within a group."""
    rng = np.random.default_rng(seed)
    of_group = np.arange(n) // group
    logits = rng.normal(size=(n, classes)) + (group > 1) * rng.normal(size=(n, classes))[of_group]
    if labels:
        truth = (rng.random((n, classes)) < 0.4).astype(np.uint8)
        scores = 1 / (1 + np.exp(-(logits + 1.5 * truth)))
        return Predictions(scores, truth, np.arange(n), True)
    targets = rng.integers(0, classes, n)
    logits[np.arange(n), targets] += 1.5
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return Predictions(scores, targets, np.arange(n), True, groups=of_group if group > 1 else None)


def curves_with_intervals(predictions: Predictions) -> list[Curve]:
    names = [f"c{number}" for number in range(predictions.scores.shape[1])]
    task = "multilabel" if predictions.has_labels else "multiclass" if len(names) > 2 else "binary"
    return curves_of(predictions, evaluate(predictions, task=task, class_names=names, split="test"))


@pytest.mark.parametrize("labels", [False, True])
def test_pooled_curves_and_means_have_bands(labels: bool) -> None:
    *_, pooled, mean = curves_with_intervals(answers(200, 1, labels=labels))
    assert pooled.worth is not None
    assert 0 < pooled.worth < 1, "pairs of one sample are not independent"
    for curve in (pooled, mean):
        band = band_of(curve, "roc")
        assert isinstance(band, Band)
        found = heights(curve, "roc")
        assert (band.low[AT] <= found + 1e-9).all()
        assert (found <= band.high[AT] + 1e-9).all()
        assert (band.high - band.low)[AT].max() > 0.05
    if not labels:
        assert mean.together == pytest.approx(1 / 3, abs=0.01)


def test_groups_make_bands_wider() -> None:
    grouped = answers(300, 2, classes=2, group=15)
    alone = replace(grouped, groups=None)
    wide, narrow = (band_of(curves_with_intervals(each)[1], "pr") for each in (grouped, alone))
    assert isinstance(wide, Band)
    assert isinstance(narrow, Band)
    assert (wide.high - wide.low)[AT].sum() > 1.2 * (narrow.high - narrow.low)[AT].sum()


def test_where_there_is_no_band_a_reason_stands() -> None:
    few = curves_with_intervals(answers(90, 3, classes=2, group=15))[1]
    reason = band_of(few, "roc")
    assert isinstance(reason, Undefined)
    assert "the samples are of 6 groups, fewer than the 10" in reason.reason
    many = curves_with_intervals(answers(400, 3, classes=25))[-1]
    reason = band_of(many, "roc")
    assert isinstance(reason, Undefined)
    assert "the mean of 25 curves" in reason.reason
    weighted = replace(answers(60, 4), weights=np.arange(1.0, 61.0))
    reason = band_of(curves_with_intervals(weighted)[-2], "roc")
    assert isinstance(reason, Undefined)
    assert "weights" in reason.reason


@pytest.mark.heavy
@pytest.mark.parametrize(("which", "group"), [(-2, 1), (-1, 10)])
def test_bands_of_pooled_curves_and_groups_hold_the_true_curve(which: int, group: int) -> None:
    many = replace(answers(50_000, 0, group=group), groups=None)
    names = ["a", "b", "c", "d"]
    report = evaluate(many, task="multiclass", class_names=names, split="test", intervals=False)
    there = heights(curves_of(many, report)[which], "roc")
    held = np.zeros(len(AT))
    for seed in range(1, 16):
        band = band_of(curves_with_intervals(answers(200, seed, group=group))[which], "roc")
        assert isinstance(band, Band)
        held += (band.low[AT] <= there + 1e-9) & (there <= band.high[AT] + 1e-9)
    assert held.min() >= 13, held
