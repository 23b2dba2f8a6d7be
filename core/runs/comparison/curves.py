"""Curves of several runs on one axis, and which run leads in each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from core.metrics import lower_is_better
from core.runs.comparison.entries import Entry
from core.runs.comparison.settings import other_losses
from core.runs.history.series import NO_POINTS, Points

__all__ = ["AXES", "Axis", "Lead", "best_point", "curve", "curve_names", "lead", "own_directions"]

Axis = Literal["epoch", "step", "time"]
AXES: Final[tuple[Axis, ...]] = ("epoch", "step", "time")
FIRST_CURVES: Final = (
    *("validation loss", "validation accuracy", "validation r2"),
    *("train loss", "train accuracy", "train r2"),
)


def curve_names(entries: Sequence[Entry]) -> list[str]:
    """Every curve that some run has: losses and scores of validation, then of training, then all others."""
    found = {name: None for entry in entries for name, (x, _) in entry.curves.items() if len(x)}
    return [name for name in FIRST_CURVES if name in found] + [
        name for name in found if name not in FIRST_CURVES
    ]


def curve(entry: Entry, name: str, axis: Axis) -> Points:
    """A curve over epochs, steps, or seconds of training.

    Empty if the run has none of that name, or is to be counted in epochs whose length is unknown.
    """
    x, y = entry.curves.get(name, NO_POINTS)
    if axis == "step":
        return x * (entry.steps_per_epoch or 1), y
    if axis == "time":
        epochs, seconds = (np.append(0.0, values) for values in entry.seconds)
        return np.interp(x, epochs, seconds), y
    return (x, y) if entry.steps_per_epoch else NO_POINTS


@dataclass(frozen=True)
class Lead:
    """Run with the best point of a curve: its place, the epoch of that point, and its value."""

    place: int
    epoch: float
    value: float


def best_point(entry: Entry, name: str, place: int = 0) -> Lead | None:
    """The best point of a run's curve; None without one, and for the learning rate."""
    x, y = entry.curves.get(name, NO_POINTS)
    there = np.isfinite(y)
    if name == "lr" or not there.any():
        return None
    x, y = x[there], y[there]
    at = int(np.argmin(y) if lower_is_better(name, entry.higher_is_better) else np.argmax(y))
    return Lead(place, float(x[at]), float(y[at]))


def lead(entries: Sequence[Entry], name: str) -> Lead | None:
    """The run that leads in a curve, the first of equals.

    None where no run has a best point, or where the runs minimise different losses and the curve is one of a loss.
    """
    if name.removesuffix(" by step").endswith("loss") and other_losses(entries):
        return None
    found = [best for place, entry in enumerate(entries) if (best := best_point(entry, name, place))]
    sign = 1 if lower_is_better(name, own_directions(entries)) else -1
    return min(found, key=lambda best: sign * best.value, default=None)


def own_directions(entries: Iterable[Entry]) -> dict[str, bool]:
    """Return the directions of the metrics that are the users' own; of one that runs disagree on, the first one's."""
    found: dict[str, bool] = {}
    for entry in entries:
        found = {**entry.higher_is_better, **found}
    return found
