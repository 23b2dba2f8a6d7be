"""From a history to the two charts of the Live screen: pure functions."""

import math
from dataclasses import dataclass

from core.runs.history.history import History
from tui.charts.plot import Chart, Mark, Series, smooth
from tui.terminal.text import number
from tui.terminal.themes import BLUE, GREEN, MISTAKE, ORANGE, PINK, YELLOW

__all__ = ["SMOOTHING", "View", "metric_chart", "subtitle", "system_chart"]

SMOOTHING = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98)
ROUND_STEPS = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0)
ZOOMS = (0, 50, 10)
"""Epochs shown; 0 shows all."""


@dataclass(frozen=True)
class View:
    """Choices of the user."""

    log_y: bool = False
    smoothing: int = 0
    zoom: int = 0

    @property
    def weight(self) -> float:
        """Weight of the moving average."""
        return SMOOTHING[self.smoothing]

    @property
    def last_epochs(self) -> int:
        """Epochs shown; 0 shows all."""
        return ZOOMS[self.zoom]

    def chosen(self, metric: str) -> str:
        """Return the choices that change how the curves of a metric look, for a title."""
        parts = ["  log"] if self.log_y and metric == "loss" else []
        parts += [f"  smooth {self.weight:g}"] if self.weight else []
        return "".join(parts + ([f"  last {self.last_epochs}"] if self.last_epochs else []))


def metric_chart(history: History, metric: str, view: View) -> Chart:
    """Train and validation of a metric over epochs, the best epoch and a divergence marked."""
    x_from = history.position - view.last_epochs if view.last_epochs else None
    x_from = x_from if x_from is not None and x_from > 0 else None
    train = _train_series(history, metric, x_from, view)
    series = [train] if len(train.x) else []
    validation_x, validation_y = history.curve(f"validation {metric}").points(x_from)
    if len(validation_x):
        series.append(Series("validation", validation_x, smooth(validation_y, view.weight), ORANGE))
    return Chart(
        series=tuple(series),
        marks=_marks(history, metric, x_from),
        log_y=view.log_y and metric == "loss",
        x_range=(x_from if x_from is not None else 0.0, _last_epoch(history)),
        x_integer=True,
        empty="the loss was never finite" if history.diverged_at else "waiting for the first epoch",
    )


def _last_epoch(history: History) -> float | None:
    """Return the end of the axis: a round number ahead of a running run, so that most frames keep the axis."""
    if history.finished is not None or history.started is None:
        return None
    decade = 10.0 ** math.floor(math.log10(max(history.position, 1.0)))
    ahead = next(decade * step for step in ROUND_STEPS if decade * step > history.position)
    return min(float(history.started.epochs or math.inf), ahead)


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
    """Return the most important number."""
    if metric == "loss":
        best = history.best_metrics.get("loss")
        if best is None:
            return ""
        chosen = history.started is None or history.started.monitor == "loss"
        return (
            f"best {number(best)} at epoch {history.best_epoch}"
            if chosen
            else f"{number(best)} at the best epoch"
        )
    found = history.top_score if metric == history.score else history.best_of(metric)
    return f"best {number(found[1])} at epoch {round(found[0], 1):g}" if found else ""


def _train_series(history: History, metric: str, x_from: float | None, view: View) -> Series:
    """By step where an epoch has several logged points, else by epoch."""
    by_step, by_epoch = history.curve(f"train {metric} by step"), history.curve(f"train {metric}")
    curve = by_step if len(by_step) > len(by_epoch) else by_epoch
    x, y = curve.means(x_from) if view.weight else curve.points(x_from)
    return Series("train", x, smooth(y, view.weight), BLUE)


def _marks(history: History, metric: str, x_from: float | None) -> tuple[Mark, ...]:
    marks = []
    best = history.best_metrics.get(metric)
    if best is not None and history.best_epoch >= (x_from or 0):
        marks.append(Mark(history.best_epoch, best, "★", YELLOW))
    if history.diverged_at is not None:
        marks.append(Mark(history.diverged_at, None, "✗", MISTAKE, "NaN"))
    return tuple(marks)
