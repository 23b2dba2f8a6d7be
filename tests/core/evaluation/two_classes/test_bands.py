"""Bands around ROC and precision-recall curves hold the true curve."""

from dataclasses import replace

import numpy as np
import pytest

from core.evaluation.curve_sets import Curve, CurveKind, curves_of
from core.evaluation.two_classes.bands import band_of
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
        assert band is not None
        found = heights(curve, kind)
        assert (band.low[AT] <= found + 1e-9).all()
        assert (found <= band.high[AT] + 1e-9).all()
        widths.append(float((band.high - band.low)[AT].mean()))
    assert widths[1] < 0.6 * widths[0]
    perfect = band_of(curve_of(40, 40.0, 1), kind)
    assert perfect is not None
    assert perfect.low[AT].max() < 1, "no mistake in 40 samples is no certainty"
    assert band_of(replace(curve, worth=None), kind) is None
    assert band_of(curve_of(20, 1.0, 1, share=0.2), kind) is None


@pytest.mark.heavy
def test_bands_hold_the_true_curve_at_each_place() -> None:
    true = curve_of(100_000, 1.5, 0)
    kinds: tuple[CurveKind, ...] = ("roc", "pr")
    for kind in kinds:
        held = np.zeros(len(AT))
        for seed in range(1, 41):
            band = band_of(curve_of(40, 1.5, seed), kind)
            assert band is not None
            there = heights(true, kind)
            held += (band.low[AT] <= there + 1e-9) & (there <= band.high[AT] + 1e-9)
        assert held.min() >= 36, held
