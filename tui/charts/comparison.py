"""Runs side by side as charts and tables: pure functions that the Compare screen and `tui compare` share."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.metrics import signed
from core.palette import MAX_RUNS, RGB
from core.runs.comparison.curves import Axis, curve, leads, mean_curve
from core.runs.comparison.groups import RunGroup
from core.runs.comparison.standings import Score, Standings
from core.runs.history.series import Floats, Points
from core.status import has_failed
from tui.charts.plot import Chart, Mark, Series, smooth
from tui.charts.series import range_of, time_unit
from tui.terminal.run_names import short_name
from tui.terminal.text import number
from tui.terminal.themes import Sign, faded, member_sign, sign_of

__all__ = [
    "SPREAD",
    "View",
    "axis_text",
    "chart",
    "group_name",
    "interval_text",
    "score_text",
]

ALL_SLOTS = range(MAX_RUNS)
MARKS_A_CURVE = 3
SPREAD: Final = "± deviation over seeds"
OVER: Final[dict[Axis, str]] = {"epoch": ", over epochs", "step": "", "time": ", over time"}


@dataclass(frozen=True)
class View:
    """Choices of the user.

    Attributes:
        smoothing: weight of the moving average, 0 to below 1.
        on_top: position of the run whose curve is drawn over the others.
    """

    axis: Axis = "epoch"
    log_x: bool = False
    log_y: bool = False
    smoothing: float = 0.0
    on_top: int = -1


def group_name(group: RunGroup, width: int = 0) -> str:
    """Return the name of the first run, and how many there are: ``mlp_x7p ×5``."""
    many = f" ×{len(group.entries)}" if group.is_repeated else ""
    return short_name(group.first.summary, max(0, width - len(many))) + many


def axis_text(name: str, axis: Axis) -> str:
    """Return the axis in a title: `` by epoch``; ``, over epochs`` for a curve whose name says by step."""
    return OVER[axis] if name.endswith(" by step") else f" by {axis}"


def chart(
    groups: Sequence[RunGroup],
    name: str,
    view: View,
    slots: Sequence[int] = ALL_SLOTS,
    expanded: Collection[int] = (),
) -> Chart:
    """Return the chart of one curve of all groups, each with its own colour and markers; ★ marks the best point.

    Several seeds are their mean, between thin lines one standard deviation away.

    Args:
        slots: marker and colour of each group, see `sign_of`.
        expanded: places of the groups whose runs are drawn, instead of their mean.
    """
    lines = [mean_curve(group, name, view.axis) for group in groups]
    label, scale = _x_axis([(x, y) for x, y, _ in lines], view.axis)
    means = [(x / scale, smooth(y, view.smoothing)) for x, y, _ in lines]
    shown = [place for place, (x, _) in enumerate(means) if len(x)]
    shown.sort(key=lambda place: (place == view.on_top, -place))
    series: list[Series] = []
    marks: list[Mark] = []
    for place in shown:
        group, (symbol, color), share = groups[place], sign_of(slots[place]), (place + 0.5) / len(groups)
        title = group_name(group, 20)
        if place in expanded:
            for at, entry in enumerate(group.entries):
                x, y = curve(entry, name, view.axis)
                line = x / scale, smooth(y, view.smoothing)
                series.append(Series("" if at else title, *line, color))
                marks += _signs(line, (member_sign(at), color), share)
            continue
        if group.is_repeated:
            series += _edges(means[place], smooth(lines[place][2], view.smoothing), faded(color))
        series.append(Series(title, *means[place], color))
        marks += _signs(means[place], (symbol, color), share)
    alive = [means[place][1] for place in shown if not has_failed(groups[place].first.summary.status)]
    return Chart(
        series=tuple(series),
        marks=(*marks, *_stars(groups, name, means, slots)),
        y_range=range_of(alive) if len(alive) < len(shown) else (None, None),
        x_label=label,
        log_x=view.log_x,
        log_y=view.log_y,
        x_range=(None if view.log_x else 0.0, None),
        x_integer=view.axis != "time",
        empty=_empty(groups, name),
    )


def _edges(mean: Points, deviation: Floats, color: RGB) -> list[Series]:
    """The lines one standard deviation below and above a mean."""
    x, y = mean
    return [Series("", x, y + side * deviation, color) for side in (-1, 1)]


def score_text(standing: Standings, place: int, reference: int | None = None) -> str:
    """Return a final metric with the symbol of its rank: ``★ 0.9722`` leads, ``≈ 0.9700`` is level with the leader.

    Args:
        reference: position of the run that the others are shown relative to: ``+0.0120``.
    """
    score = standing.scores[place]
    if score is None:
        return "–"
    sign = "★" if place in standing.leaders else "≈" if place in standing.level else " "
    against = standing.scores[reference] if reference not in (None, place) else None
    text = number(score.value) if against is None else signed(score.value - against.value)
    return f"{sign} {text}"


def interval_text(score: Score | None) -> str:
    """``0.951 … 0.986``, or the standard deviation of several seeds: ``± 0.0031``; empty where there is none.

    A mean of some of the seeds has their number beside it: ``± 0.0031 2/3``.
    """
    if score is not None and (score.deviation is not None or score.part):
        spread = f"± {number(score.deviation)}" if score.deviation is not None else ""
        return f"{spread} {score.part}".strip()
    if score is None or score.interval is None:
        return ""
    return " … ".join(number(end, 3) for end in score.interval)


def _empty(groups: Sequence[RunGroup], name: str) -> str:
    if any(len(entry.curves.get(name, ((),))[0]) for group in groups for entry in group.entries):
        return "the length of an epoch is known once the first one is done; until then, see by step"
    return f"no run has finished an epoch with {name}" if groups else "no runs"


def _x_axis(lines: Sequence[Points], axis: Axis) -> tuple[str, float]:
    """The name of the axis, and what its values are divided by."""
    if axis != "time":
        return axis, 1.0
    return time_unit(max((float(x[-1]) for x, _ in lines if len(x)), default=0.0))


def _signs(line: Points, sign: Sign, share: float) -> list[Mark]:
    """Return a run's markers at some points of its curve, and at its end.

    Args:
        share: of the distance between two signs, where the first one stands; it differs from run to run.
    """
    x, y = line
    shares = (np.arange(MARKS_A_CURVE) + share) / MARKS_A_CURVE
    points = {*np.round(shares * (len(x) - 1)).astype(int).tolist(), len(x) - 1}
    return [Mark(float(x[at]), float(y[at]), *sign) for at in sorted(points) if np.isfinite(y[at])]


def _stars(
    groups: Sequence[RunGroup], name: str, lines: Sequence[Points], slots: Sequence[int]
) -> list[Mark]:
    """The best point of each group that leads."""
    found = []
    for best in leads(groups, name):
        epochs = mean_curve(groups[best.place], name, "epoch")[0]
        x, y = lines[best.place]
        if len(x) and len(epochs) == len(x):
            at = min(int(np.searchsorted(epochs, best.epoch)), len(x) - 1)
            found.append(
                Mark(float(x[at]), float(y[at]), "★", sign_of(slots[best.place])[1], number(best.value))
            )
    return found
