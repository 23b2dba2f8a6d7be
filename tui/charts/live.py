"""From a history to the two charts of the Live screen: pure functions."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from core.metrics import label_of
from core.runs.comparison.curves import Axis, on_axis
from core.runs.comparison.entries import seconds_of
from core.runs.history.history import PACE, History
from core.runs.history.series import Floats
from tui.charts.plot import Chart, Mark, Series, smooth
from tui.charts.series import time_unit
from tui.terminal.text import clean, number
from tui.terminal.themes import BLUE, GREEN, MISTAKE, ORANGE, PINK, YELLOW

__all__ = [
    "SMOOTHING",
    "ZOOMS",
    "View",
    "chart_names",
    "chart_of",
    "chart_title",
    "length_of",
    "metric_chart",
    "subtitle",
    "system_chart",
]

SMOOTHING = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98)
ROUND_STEPS = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0)
ZOOMS = (0, 50, 10)
"""Epochs shown; 0 shows all."""
TITLES: Final = {"lr": "learning rate", **{name: name for name in PACE}}
"""Of the charts that are not of a metric."""
LOGARITHMIC: Final = ("loss", "lr", "gradient norm")
"""Charts whose y axis may be logarithmic."""


@dataclass(frozen=True)
class View:
    """Choices of the user.

    Attributes:
        axis: what the x axis counts.
        log_x, log_y: whether the axes are logarithmic; that of y for the curves that fall, see `LOGARITHMIC`.
        smoothing: place in `SMOOTHING`.
    """

    axis: Axis = "epoch"
    log_x: bool = False
    log_y: bool = False
    smoothing: int = 0

    @property
    def weight(self) -> float:
        """Weight of the moving average."""
        return SMOOTHING[self.smoothing]

    def is_log(self, name: str) -> bool:
        """Return whether the y axis of a chart is logarithmic."""
        return self.log_y and name in LOGARITHMIC

    def chosen(self, name: str) -> str:
        """Return the choices that change how the curves of a chart look, for a title."""
        parts = ["  log"] if self.is_log(name) else []
        parts += ["  log x"] if self.log_x else []
        return "".join(parts + ([f"  smooth {self.weight:g}"] if self.weight else []))


def chart_names(history: History, score: str) -> list[str]:
    """Return the names of all charts of a run: loss, a metric, the other metrics, and how training goes on.

    Args:
        score: the metric that comes second.
    """
    found: dict[str, None] = dict.fromkeys(("loss", score, *history.scores))
    pace = [name for name in TITLES if name not in found and _is_there(history, name)]
    return [*found, *pace]


def chart_title(name: str) -> str:
    """Return the title of a chart."""
    return TITLES.get(name) or label_of(name)


def chart_of(history: History, name: str, view: View) -> Chart:
    """Return one of the charts that `chart_names` lists."""
    draw = pace_chart if name in TITLES and _is_there(history, name) else metric_chart
    return draw(history, name, view)


def metric_chart(history: History, metric: str, view: View) -> Chart:
    """Train and validation of a metric over epochs, steps or time, the best epoch and a divergence marked."""
    train = _train_series(history, metric, view)
    series = [train] if len(train.x) else []
    validation_x, validation_y = history.curve(f"validation {metric}").points()
    if len(validation_x):
        across = _across(history, validation_x, view.axis)
        series.append(Series("validation", across, smooth(validation_y, view.weight), ORANGE))
    return _chart(history, metric, view, series, _marks(history, metric, view.axis))


def pace_chart(history: History, name: str, view: View) -> Chart:
    """Return the chart of one curve of `PACE`, or of the learning rate."""
    x, y = history.curve(name).points()
    series = [Series(TITLES[name], _across(history, x, view.axis), smooth(y, view.weight), BLUE)]
    return _chart(history, name, view, series if len(x) else [], ())


def _chart(
    history: History, name: str, view: View, series: Sequence[Series], marks: tuple[Mark, ...]
) -> Chart:
    unit, size = _unit(history, view.axis)
    timeless = view.axis == "time" and series and not history.seconds
    return Chart(
        series=tuple(_divided(each, size) for each in series) if not timeless else (),
        marks=tuple(replace(mark, x=mark.x / size) for mark in marks),
        log_y=view.is_log(name),
        log_x=view.log_x,
        x_label=unit,
        x_range=(None if view.log_x else 0.0, _end(history, view)),
        x_integer=view.axis != "time",
        empty="its time is known once the first epoch is done" if timeless else _waiting(history),
    )


def _divided(series: Series, size: float) -> Series:
    """Return a series whose x is counted in units of another size."""
    return series if size == 1 else Series(series.label, series.x / size, series.y, series.color)


def _unit(history: History, axis: Axis) -> tuple[str, float]:
    """Return the unit of the x axis of all charts, and what places on it are divided by."""
    if axis != "time":
        return axis, 1.0
    return time_unit(float(_across(history, np.array([history.position]), axis)[0]))


def _waiting(history: History) -> str:
    return "the loss was never finite" if history.diverged_at else "waiting for the first epoch"


def _across(history: History, epochs: Floats, axis: Axis) -> Floats:
    """Return places counted in epochs on the axis that is shown, time in seconds."""
    if axis == "epoch":
        return epochs
    return on_axis(epochs, axis, history.steps_per_epoch, seconds_of(history))


def _is_there(history: History, name: str) -> bool:
    return name in history.curves and len(history.curves[name]) > 0


def _end(history: History, view: View) -> float | None:
    """Return the end of the x axis; None for that of the data."""
    last = _last_epoch(history)
    if last is None or view.axis == "time":
        return None
    return last * (history.steps_per_epoch if view.axis == "step" else 1)


def _last_epoch(history: History) -> float | None:
    """Return the end of the axis: a round number ahead of a running run, so that most frames keep the axis."""
    if history.started is None:
        return None
    if history.finished is not None:
        return history.position or None
    decade = 10.0 ** math.floor(math.log10(max(history.position, 1.0)))
    ahead = next(decade * step for step in ROUND_STEPS if decade * step > history.position)
    return min(float(history.started.epochs or math.inf), ahead)


def length_of(history: History, epochs: int, axis: Axis) -> float:
    """Return the length of the last epochs on an axis; 0 for 0, or where that is not known."""
    if not epochs:
        return 0.0
    ends = np.array([max(history.position - epochs, 0.0), history.position])
    start, end = _across(history, ends, axis)
    return float(end - start) / _unit(history, axis)[1]


SYSTEM = {
    "cpu": ("processor", BLUE),
    "memory": ("memory", ORANGE),
    "gpu": ("GPU", GREEN),
    "gpu_memory": ("GPU memory", PINK),
}
"""Name and colour of each part of the load."""


def system_chart(history: History) -> Chart:
    """Return the load of the machine in per cent, over minutes since the run started."""
    known = [(*SYSTEM[name], curve) for name, curve in history.system.items()]
    ended = history.finished is not None
    return Chart(
        series=tuple(Series(label, *curve.points(), color) for label, color, curve in known),
        x_range=(0.0, None),
        y_range=(0.0, 100.0),
        empty="the load of the machine was not recorded" if ended else "waiting for the first sample",
    )


def subtitle(history: History, metric: str) -> str:
    """Return the number at the best epoch, which the star marks, and by which metric that one is the best.

    Of a metric that the best epoch lacks, such as one that only training logs, return the latest number.
    """
    if metric in TITLES:
        y = history.curve(metric).points()[1]
        return f"now {number(float(y[-1]))}" if len(y) else ""
    value, monitor = history.best_metrics.get(metric), history.monitor
    if value is None or math.isnan(value):
        last = latest(history, metric)
        return f"now {number(last)}" if last is not None else ""
    if metric == monitor:
        return f"best {number(value)} at epoch {history.best_epoch}"
    why = f"best by {clean(label_of(monitor))}" if monitor else "the latest"
    return f"{number(value)} at epoch {history.best_epoch} ({why})"


def latest(history: History, metric: str) -> float | None:
    """Return the last value of a curve of training; None without one."""
    for name in (f"train {metric}", f"train {metric} by step"):
        if len(history.curve(name)):
            return float(history.curve(name).points()[1][-1])
    return None


def _train_series(history: History, metric: str, view: View) -> Series:
    """By step where an epoch has several logged points, else by epoch."""
    by_step, by_epoch = history.curve(f"train {metric} by step"), history.curve(f"train {metric}")
    curve = by_step if len(by_step) > len(by_epoch) else by_epoch
    x, y = curve.means() if view.weight else curve.points()
    return Series("train", _across(history, x, view.axis), smooth(y, view.weight), BLUE)


def _marks(history: History, metric: str, axis: Axis) -> tuple[Mark, ...]:
    def at(epoch: float) -> float:
        return float(_across(history, np.array([epoch]), axis)[0])

    marks = []
    best = history.best_metrics.get(metric)
    if best is not None and history.best_epoch:
        marks.append(Mark(at(history.best_epoch), best, "★", YELLOW))
    if history.diverged_at is not None:
        marks.append(Mark(at(history.diverged_at), None, "✗", MISTAKE, "NaN"))
    return tuple(marks)
