"""Curves of several runs on one axis, and which run leads in each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from core.metrics import has_direction, label_of, lower_is_better
from core.runs.comparison.entries import Entry
from core.runs.comparison.groups import RunGroup, mean_points
from core.runs.comparison.ranking import metric_of, why_unranked
from core.runs.comparison.settings import not_comparable, other_losses
from core.runs.history.series import NO_POINTS, Floats, Points

__all__ = [
    "AXES",
    "Axis",
    "Lead",
    "best_point",
    "best_title",
    "curve",
    "curve_names",
    "leads",
    "mean_curve",
    "on_axis",
    "own_directions",
]

Axis = Literal["epoch", "step", "time"]
AXES: Final[tuple[Axis, ...]] = ("epoch", "step", "time")
FIRST_CURVES: Final = (
    *("validation loss", "validation accuracy", "validation r2"),
    *("train loss", "train accuracy", "train r2"),
)

BY_STEP: Final = " by step"


def curve_names(entries: Sequence[Entry]) -> list[str]:
    """Every curve that some run has: losses and scores of validation, then of training, then all others."""
    found = {name: None for entry in entries for name, (x, _) in entry.curves.items() if len(x)}
    return [name for name in FIRST_CURVES if name in found] + [
        name for name in found if name not in FIRST_CURVES
    ]


def first_compared(entries: Sequence[Entry]) -> str:
    """Return the curve that runs are compared by at first: validation loss; of different losses, a score all have."""
    names = curve_names(entries)
    if names and other_losses(entries):
        all_have = [
            name for name in names if all(len(entry.curves.get(name, NO_POINTS)[0]) for entry in entries)
        ]
        own = own_directions(entries)
        ranked = [name for name in all_have if metric_of(name) != "loss" and has_direction(name, own)]
        names = ranked or names
    return names[0] if names else FIRST_CURVES[0]


def curve(entry: Entry, name: str, axis: Axis) -> Points:
    """A curve over epochs, steps, or seconds of training.

    Empty if the run has none of that name, or is to be counted in epochs whose length is unknown.
    """
    x, y = entry.curves.get(name, NO_POINTS)
    if axis == "epoch" and not entry.steps_per_epoch:
        return NO_POINTS
    return on_axis(x, axis, entry.steps_per_epoch or 1, entry.seconds), y


def on_axis(epochs: Floats, axis: Axis, steps_per_epoch: float, seconds: Points) -> Floats:
    """Return places counted in epochs as steps or seconds of training.

    Args:
        seconds: epochs done, and the seconds until then; behind them time stands still.
    """
    if axis == "step":
        return epochs * steps_per_epoch
    if axis == "time":
        done, spent = (np.append(0.0, values) for values in seconds)
        return np.asarray(np.interp(epochs, done, spent), dtype=np.float64)
    return epochs


def mean_curve(group: RunGroup, name: str, axis: Axis) -> tuple[Floats, Floats, Floats]:
    """Return a curve of a group: where it is, the mean over its runs, and their standard deviation."""
    return mean_points([curve(entry, name, axis) for entry in group.entries])


@dataclass(frozen=True)
class Lead:
    """Best point of a curve: the place of its run or group, the epoch, and the value."""

    place: int
    epoch: float
    value: float


def best_point(group: RunGroup, name: str, place: int = 0) -> Lead | None:
    """Return the point of a curve at the best epoch, by whatever metric the run chose that one.

    Of a curve by step, and of the mean of several runs, it is the lowest or highest point. None without one, and where
    it is not known whether less or more is better.
    """
    lines = [entry.curves.get(name, NO_POINTS) for entry in group.entries]
    if not group.is_repeated and (chosen := _at_best_epoch(group.first, name, place)):
        return chosen
    x, y = lines[0] if len(lines) == 1 else mean_points(lines)[:2]
    there = np.isfinite(y)
    if not has_direction(name, group.first.higher_is_better) or not there.any():
        return None
    x, y = x[there], y[there]
    at = int(np.argmin(y) if lower_is_better(name, group.first.higher_is_better) else np.argmax(y))
    return Lead(place, float(x[at]), float(y[at]))


def best_title(groups: Sequence[RunGroup], name: str) -> str:
    """Return what the best points of a curve are: ``best loss`` where it chose the best epochs, else ``F1 at best``."""
    metric = metric_of(name)
    chose = all(entry.summary.monitor == metric for group in groups for entry in group.entries)
    at_best = not chose and not name.endswith(BY_STEP) and not any(group.is_repeated for group in groups)
    return f"{label_of(metric)} at best" if at_best else f"best {label_of(metric)}"


def _at_best_epoch(entry: Entry, name: str, place: int) -> Lead | None:
    """The point of a curve by epoch at the best epoch; None where the run has none, or the curve no value there."""
    (x, y), epoch = entry.curves.get(name, NO_POINTS), entry.summary.best_epoch
    if name.endswith(BY_STEP) or not epoch or not entry.steps_per_epoch or not len(x):
        return None
    if name.startswith("validation ") and metric_of(name) in entry.summary.metrics:
        return Lead(place, epoch, entry.summary.metrics[metric_of(name)])
    at = int(np.argmin(np.abs(x - epoch)))
    return (
        Lead(place, float(x[at]), float(y[at])) if abs(x[at] - epoch) < 0.5 and np.isfinite(y[at]) else None
    )


def leads(groups: Sequence[RunGroup], name: str) -> list[Lead]:
    """The best points of the groups that lead in a curve: one, or all that are equal.

    Empty where none has a best point, or where runs are not ranked by it; see `core.runs.comparison.ranking`.
    """
    entries = [entry for group in groups for entry in group.entries]
    own, split = own_directions(entries), "train" if name.startswith("train ") else "validation"
    if why_unranked([entry.config for entry in entries], metric_of(name), split, own):
        return []
    if not_comparable(entries, split):
        return []
    found = [best for place, group in enumerate(groups) if (best := best_point(group, name, place))]
    pick = min if lower_is_better(name, own) else max
    top = pick((best.value for best in found), default=None)
    return [best for best in found if best.value == top]


def own_directions(entries: Iterable[Entry]) -> dict[str, bool]:
    """Return the directions of the metrics that are the users' own; of one that runs disagree on, the first one's."""
    found: dict[str, bool] = {}
    for entry in entries:
        found = {**entry.higher_is_better, **found}
    return found
