"""Runs side by side as charts and tables: pure functions that the Compare screen and `tui compare` share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.palette import MAX_RUNS
from core.runs.comparison.curves import Axis, curve, lead
from core.runs.comparison.entries import Entry
from core.runs.comparison.standings import Score, Standings
from core.runs.history.series import Points
from tui.charts.plot import Chart, Mark, Series, smooth
from tui.terminal.run_names import short_name
from tui.terminal.text import number
from tui.terminal.themes import Sign, sign_of

__all__ = ["View", "axis_text", "chart", "interval_text", "score_text"]

ALL_SLOTS = range(MAX_RUNS)
MARKS_A_CURVE = 3
UNITS = ((2.0, 3600.0, "hours"), (5.0, 60.0, "minutes"))
"""Minimum number of a time unit for it to be used; otherwise times are in seconds."""
OVER: Final[dict[Axis, str]] = {"epoch": ", over epochs", "step": "", "time": ", over time"}


@dataclass(frozen=True)
class View:
    """Choices of the user.

    Attributes:
        smoothing: weight of the moving average, 0 to below 1.
        on_top: position of the run whose curve is drawn over the others.
    """

    axis: Axis = "epoch"
    log_y: bool = False
    smoothing: float = 0.0
    on_top: int = -1


def axis_text(name: str, axis: Axis) -> str:
    """Return the axis in a title: `` by epoch``; ``, over epochs`` for a curve whose name says by step."""
    return OVER[axis] if name.endswith(" by step") else f" by {axis}"


def chart(entries: Sequence[Entry], name: str, view: View, slots: Sequence[int] = ALL_SLOTS) -> Chart:
    """Return the chart of one curve of all runs, each with its own colour and markers; ★ marks the best point.

    Args:
        slots: marker and colour of each run, see `sign_of`.
    """
    lines = [curve(entry, name, view.axis) for entry in entries]
    label, scale = _x_axis(lines, view.axis)
    lines = [(x / scale, smooth(y, view.smoothing)) for x, y in lines]
    shown = [place for place, (x, _) in enumerate(lines) if len(x)]
    shown.sort(key=lambda place: (place == view.on_top, -place))
    series = [
        Series(short_name(entries[place].summary, 20), *lines[place], sign_of(slots[place])[1])
        for place in shown
    ]
    marks = [
        mark
        for place in shown
        for mark in _signs(lines[place], sign_of(slots[place]), (place + 0.5) / len(entries))
    ]
    return Chart(
        series=tuple(series),
        marks=(*marks, *_star(entries, name, lines, slots)),
        x_label=label,
        log_y=view.log_y,
        x_range=(0.0, None),
        x_integer=view.axis != "time",
        empty=_empty(entries, name),
    )


def score_text(standing: Standings, place: int, reference: int | None = None) -> str:
    """Return a final metric with the symbol of its rank: ``★ 0.9722`` leads, ``≈ 0.9700`` is level with the leader.

    Args:
        reference: position of the run that the others are shown relative to: ``+0.0120``.
    """
    score = standing.scores[place]
    if score is None:
        return "–"
    sign = "★" if place == standing.leader else "≈" if place in standing.level else " "
    against = standing.scores[reference] if reference not in (None, place) else None
    text = number(score.value) if against is None else difference_text(score.value - against.value)
    return f"{sign} {text}"


def interval_text(score: Score | None) -> str:
    """``0.951 … 0.986``; empty where there is none."""
    if score is None or score.interval is None:
        return ""
    return " … ".join(number(end, 3) for end in score.interval)


def difference_text(by: float) -> str:
    """``+0.0120``; negative ones carry their sign anyway."""
    return f"+{number(by)}" if by > 0 else number(by)


def _empty(entries: Sequence[Entry], name: str) -> str:
    if any(len(entry.curves.get(name, ((),))[0]) for entry in entries):
        return "the length of an epoch is known once the first one is done; until then, see by step"
    return f"no run has finished an epoch with {name}" if entries else "no runs"


def _x_axis(lines: Sequence[Points], axis: Axis) -> tuple[str, float]:
    """The name of the axis, and what its values are divided by."""
    if axis != "time":
        return axis, 1.0
    longest = max((float(x[-1]) for x, _ in lines if len(x)), default=0.0)
    for least, size, unit in UNITS:
        if longest >= least * size:
            return unit, size
    return "seconds", 1.0


def _signs(line: Points, sign: Sign, share: float) -> list[Mark]:
    """Return a run's markers at some points of its curve, and at its end.

    Args:
        share: of the distance between two signs, where the first one stands; it differs from run to run.
    """
    x, y = line
    shares = (np.arange(MARKS_A_CURVE) + share) / MARKS_A_CURVE
    points = {*np.round(shares * (len(x) - 1)).astype(int).tolist(), len(x) - 1}
    return [Mark(float(x[at]), float(y[at]), *sign) for at in sorted(points) if np.isfinite(y[at])]


def _star(
    entries: Sequence[Entry], name: str, lines: Sequence[Points], slots: Sequence[int]
) -> tuple[Mark, ...]:
    best = lead(entries, name)
    if best is None:
        return ()
    epochs, _ = entries[best.place].curves[name]
    x, y = lines[best.place]
    if not len(x):
        return ()
    at = int(np.searchsorted(epochs, best.epoch))
    return (Mark(float(x[at]), float(y[at]), "★", sign_of(slots[best.place])[1], number(best.value)),)
