"""Charts of two classes: lift, gains, and the distance of the two distributions of scores."""

from collections.abc import Callable

import numpy as np

from core.evaluation.two_classes.numbers import gains, ks, lift_curve
from core.evaluation.two_classes.steps import ScoreSteps
from core.evaluation.values import Integers
from core.metrics import number
from tui.charts.plot_chart import Chart, Mark, Series
from tui.terminal.themes import BLUE, ORANGE, YELLOW

__all__ = ["LIFTS"]

MAX_POINTS = 1000


def _lift(steps: ScoreSteps) -> Chart:
    shares, lift = lift_curve(steps)
    return Chart(
        series=(Series("", (0.0, 1.0), (1.0, 1.0)), Series("lift", shares, lift, BLUE)),
        x_label="share of samples, highest scores first",
        y_label="lift",
        x_range=(0.0, 1.0),
        y_range=(0.0, None),
    )


def _gains(steps: ScoreSteps) -> Chart:
    flagged, found = gains(steps)
    at = _some(len(flagged))
    share = steps.positives / (steps.positives + steps.negatives)
    return Chart(
        series=(
            Series("", (0.0, 1.0), (0.0, 1.0)),
            Series("", (0.0, share, 1.0), (0.0, 1.0, 1.0)),
            Series("found", flagged[at], found[at], BLUE),
        ),
        x_label="share of samples, highest scores first",
        y_label="share of positives found",
        x_range=(0.0, 1.0),
        y_range=(0.0, 1.0),
    )


def _distributions(steps: ScoreSteps) -> Chart:
    at = _some(len(steps.thresholds))
    tpr, fpr = steps.tp / steps.positives, steps.fp / steps.negatives
    distance, place = ks(steps)
    threshold = float(steps.thresholds[place])
    return Chart(
        series=(
            Series("", (threshold, threshold), (float(fpr[place]), float(tpr[place]))),
            Series("positives", steps.thresholds[at][::-1], tpr[at][::-1], BLUE),
            Series("negatives", steps.thresholds[at][::-1], fpr[at][::-1], ORANGE),
        ),
        marks=(Mark(threshold, float(tpr[place]), "★", YELLOW, f"KS {number(distance, 3)}"),),
        x_label="threshold",
        y_label="share at or above it",
        y_range=(0.0, 1.0),
    )


def _some(n: int) -> Integers:
    return np.unique(np.linspace(0, n - 1, min(n, MAX_POINTS)).round().astype(np.int64))


LIFTS: tuple[tuple[str, Callable[[ScoreSteps], Chart]], ...] = (
    ("lift: positives among those that score highest, beside all", _lift),
    ("gains: positives found", _gains),
    ("KS: where the classes' scores differ most", _distributions),
)
"""Title of each chart of two classes, and what draws it."""
