"""Bands around ROC and precision-recall curves: pointwise 95 % intervals of the height at each place across.

For ROC the true positive rate at a false positive rate, for precision-recall the precision at a recall. Draws are those
of `core.evaluation.two_classes.steps`; without the mistake and the hit that are added there, those for ROC are the
bands of Gu, Ghosal and Roy, "Bayesian bootstrap estimation of ROC curve" (2008).
"""

from dataclasses import dataclass

import numpy as np

from core.evaluation.curve_sets import Curve, CurveKind
from core.evaluation.intervals.areas import FEWEST_OF_CLASS
from core.evaluation.two_classes.steps import ScoreSteps, StepDraws, drawn_pair, ends
from core.evaluation.values import Floats

__all__ = ["MAX_BANDS", "Band", "band_of"]

POINTS = 101
MAX_BANDS = 3
"""Largest number of bands that can be told apart in one chart."""


@dataclass(frozen=True, eq=False)
class Band:
    """Low and high ends at each place across; all are (points,)."""

    x: Floats
    low: Floats
    high: Floats


def band_of(curve: Curve, kind: CurveKind, points: int = POINTS, seed: int = 0) -> Band | None:
    """Return the band of a curve.

    None where samples depend on each other, for means of curves, and where one of the classes has too few samples.
    """
    if curve.worth is None or curve.tp is None or curve.fp is None or curve.thresholds is None:
        return None
    if min(curve.positives, curve.negatives) * curve.worth < FEWEST_OF_CLASS:
        return None
    steps = ScoreSteps(curve.thresholds[1:], curve.tp[1:], curve.fp[1:], curve.worth)
    across = np.linspace(0.0, 1.0, points)

    def heights(draws: StepDraws) -> Floats:
        if kind == "roc":
            return np.array([np.interp(across, x, y) for x, y in zip(draws.fpr, draws.tpr, strict=True)])
        with np.errstate(invalid="ignore"):
            precision = draws.tp / (draws.tp + draws.fp)
        precision[:, 0] = 1.0
        pairs = zip(draws.tpr, precision, strict=True)
        return np.array([values[_first_at(recall, across)] for recall, values in pairs])

    low, high = ends(drawn_pair(steps, np.random.default_rng(seed)), heights)
    return Band(across, low, high)


def _first_at(recall: Floats, wanted: Floats) -> np.ndarray:
    """Return the place of the highest threshold that reaches each recall; the last one reaches all."""
    return np.minimum(np.searchsorted(recall, wanted, side="left"), len(recall) - 1)
