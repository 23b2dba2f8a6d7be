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
from core.evaluation.values import Floats, Undefined

__all__ = ["MAX_BANDS", "Band", "band_of"]

POINTS = 101
MAX_BANDS = 3
"""Largest number of bands that can be told apart in one chart."""
MAX_MEMBERS = 20
"""Largest number of curves whose mean has a band: each takes about a tenth of a second."""


@dataclass(frozen=True, eq=False)
class Band:
    """Low and high ends at each place across; all are (points,)."""

    x: Floats
    low: Floats
    high: Floats


def band_of(curve: Curve, kind: CurveKind, points: int = POINTS, seed: int = 0) -> Band | Undefined:
    """Return the band of a curve, or why it has none."""
    if curve.lines[kind] is None:
        return Undefined(curve.reason)
    if curve.members:
        return _of_mean(curve, kind, points, seed)
    if curve.worth is None or curve.tp is None or curve.fp is None or curve.thresholds is None:
        return Undefined(curve.no_worth)
    fewest = min(curve.positives, curve.negatives) * curve.worth
    if fewest < FEWEST_OF_CLASS:
        return Undefined(
            f"a class is worth {fewest:.3g} samples, fewer than the {FEWEST_OF_CLASS} that a band needs"
        )
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


def _of_mean(curve: Curve, kind: CurveKind, points: int, seed: int) -> Band | Undefined:
    """Return the band of a mean of curves, from those of its members, which vary together as their areas do.

    Distances to the ends add up as variances do (MOVER: Zou and Donner, "Construction of confidence intervals about
    effect measures", 2008).
    """
    members = [each for each in curve.members if each.lines[kind] is not None]
    if len(members) > MAX_MEMBERS:
        return Undefined(
            f"it is the mean of {len(members)} curves, more than the {MAX_MEMBERS} that a band is made of"
        )
    bands = []
    for place, member in enumerate(members):
        band = band_of(member, kind, points, seed + place)
        if isinstance(band, Undefined):
            return band
        bands.append(band)
    across = bands[0].x
    line = curve.lines[kind]
    assert line is not None
    mean, middle = np.interp(across, *line), np.array([_heights(member, kind, across) for member in members])

    def distance(away: Floats) -> Floats:
        away = away.clip(0)
        variance = (1 - curve.together) * (away**2).sum(axis=0) + curve.together * away.sum(axis=0) ** 2
        found: Floats = np.sqrt(variance) / len(members)
        return found

    low = mean - distance(middle - np.array([band.low for band in bands]))
    high = mean + distance(np.array([band.high for band in bands]) - middle)
    return Band(across, low.clip(0, 1), high.clip(0, 1))


def _heights(curve: Curve, kind: CurveKind, across: Floats) -> Floats:
    """Return the heights of a line at some places across."""
    line = curve.lines[kind]
    assert line is not None
    found: Floats = np.interp(across, *line) if kind == "roc" else line[1][_first_at(line[0], across)]
    return found


def _first_at(recall: Floats, wanted: Floats) -> np.ndarray:
    """Return the place of the highest threshold that reaches each recall; the last one reaches all."""
    return np.minimum(np.searchsorted(recall, wanted, side="left"), len(recall) - 1)
