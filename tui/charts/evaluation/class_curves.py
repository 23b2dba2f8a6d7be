"""Charts of the classes over the epochs: what is found of each, and how often it is rightly predicted."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from core.evaluation.values import Floats
from core.runs.history.class_history import ClassHistory
from tui.charts.evaluation.curves import class_color, class_marker
from tui.charts.plot_chart import Chart, Mark, Series
from tui.terminal.text import clean
from tui.terminal.themes import YELLOW

__all__ = ["CLASS_METRICS", "MAX_SHOWN", "class_curves_chart", "values_of", "worst_first"]

CLASS_METRICS: Final = ("f1", "recall", "precision")
"""Metrics of a class that have a chart, in their order."""
MAX_SHOWN = 6
"""Curves at first: as many as there are colours."""


def values_of(history: ClassHistory, metric: str) -> Floats:
    """Return a metric of all classes by epoch (e, classes); NaN where it is undefined."""
    values: Floats = getattr(history.counts, metric)
    return values


def worst_first(history: ClassHistory) -> list[int]:
    """Return the classes in the order of their F1 at the best epoch, those without one last."""
    return [int(place) for place in np.argsort(values_of(history, "f1")[history.best], kind="stable")]


def class_curves_chart(
    history: ClassHistory, metric: str, shown: Sequence[int], order: Sequence[int]
) -> Chart:
    """Return a curve for each of some classes, the best epoch marked below.

    Args:
        order: all classes; the place of one gives its colour, so that the first ones differ most.
    """
    values = values_of(history, metric)
    series = [
        Series(
            clean(history.names[number]) or "∅",
            history.epochs,
            values[:, number],
            class_color(order.index(number)),
            class_marker(order.index(number)),
        )
        for number in shown
    ]
    best = [Mark(float(history.best_epoch), None, "★", YELLOW)] if history.best_epoch else []
    return Chart(
        series=tuple(series),
        marks=tuple(best) if series else (),
        x_label="epoch",
        x_range=(min(float(history.epochs[0]), history.epochs[-1] - 1.0), float(history.epochs[-1])),
        y_range=(None, 1.0),
        x_integer=True,
        empty="no class is marked: Space marks the one under the cursor",
    )
