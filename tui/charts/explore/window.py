"""Which part of a chart is shown, and where its crosshair stands: plain data, and functions from one to the next."""

from dataclasses import dataclass, replace

import numpy as np

from core.runs.history.series import Floats
from tui.charts.plot_axes import Scale, scale_for
from tui.charts.plot_chart import Chart

__all__ = [
    "WHOLE",
    "Axes",
    "Span",
    "Window",
    "axes_of",
    "centre",
    "follow",
    "move_cross",
    "pan",
    "places",
    "point_at",
    "seen",
    "zoom",
]

Span = tuple[float, float]

CLOSEST = 1e-4
"""Smallest share of an axis that can be shown."""


@dataclass(frozen=True)
class Window:
    """Part of a chart.

    Attributes:
        x, y: ends of the axes, in the chart's units; None shows all of x, and of y what the x axis leaves.
        follows: the x axis keeps its length and ends where the data ends.
        cross: place of the crosshair on the x axis; None for none.
    """

    x: Span | None = None
    y: Span | None = None
    follows: bool = False
    cross: float | None = None


WHOLE = Window()
"""All of a chart, without a crosshair: what resetting leads to."""


@dataclass(frozen=True)
class Axes:
    """The axes of a chart as they are shown, and those of all of it."""

    x: Scale
    y: Scale
    all_x: Scale
    all_y: Scale


def axes_of(chart: Chart, x: Scale, y: Scale) -> Axes:
    """Return the axes of a whole chart beside those that are shown now."""
    all_x = scale_for(
        (series.x for series in chart.series), chart.x_range, log=chart.log_x, integer=chart.x_integer
    )
    all_y = scale_for((series.y for series in chart.series), chart.y_range, log=chart.log_y, roomy=True)
    return Axes(x, y, all_x or x, all_y or y)


def zoom(
    window: Window, axes: Axes, factor: float, at: Span = (0.5, 0.5), *, across: bool = True, up: bool = False
) -> Window:
    """Show `factor` times as much of an axis; what is under the pointer stays there.

    Args:
        at: the pointer, as shares of both axes from their low ends.
        across: the x axis. up: the y axis.
    """
    if across:
        x = _resized(axes.x, axes.all_x, factor, at[0])
        follows = x is not None and x[1] >= axes.all_x.ends[1] and x[0] > axes.all_x.ends[0]
        window = replace(window, x=x, follows=follows)
    return replace(window, y=_resized(axes.y, axes.all_y, factor, at[1])) if up else window


def pan(window: Window, axes: Axes, across: float, up: float = 0.0) -> Window:
    """Move what is shown by shares of the axes; never beyond the ends of the whole ones."""
    if window.x is not None:
        x = _moved(axes.x, axes.all_x, across)
        window = replace(window, x=x, follows=x[1] >= axes.all_x.ends[1])
    return window if window.y is None else replace(window, y=_moved(axes.y, axes.all_y, up))


def follow(window: Window, length: float) -> Window:
    """Show the last part of the x axis, of a length in its units, also while the data grows; 0 shows all."""
    return replace(window, x=(0.0, length) if length else None, follows=bool(length))


def centre(window: Window, axes: Axes, x: float, share: float) -> Window:
    """Put the crosshair at a place, and show it in the middle; of a whole chart only a share is shown then."""
    length = axes.x.high - axes.x.low if window.x is not None else share * (axes.all_x.high - axes.all_x.low)
    at = axes.all_x.low + axes.all_x.fraction(x) * (axes.all_x.high - axes.all_x.low)
    wanted = Scale(at - length / 2, at + length / 2, axes.x.log)
    return replace(window, x=_moved(wanted, axes.all_x, 0.0), follows=False, cross=x)


def move_cross(window: Window, chart: Chart, x: Scale, by: int, columns: int) -> Window:
    """Move the crosshair to another place of the data, by some columns; the first step puts it in the middle.

    Args:
        x: the axis that is shown. columns: its length in cells.
    """
    there = places(chart)
    there = there[(there >= x.ends[0]) & (there <= x.ends[1])]
    if not there.size:
        return window
    if window.cross is None:
        return replace(window, cross=float(there[there.size // 2]))
    step = by / max(columns, 1) * (x.high - x.low)
    now = x.low + x.fraction(window.cross) * (x.high - x.low)
    wanted = 10.0 ** (now + step) if x.log else now + step
    side = there[there >= wanted * (1 - 1e-12)] if by > 0 else there[there <= wanted * (1 + 1e-12)]
    at = (side[0] if by > 0 else side[-1]) if side.size else (there[-1] if by > 0 else there[0])
    return replace(window, cross=float(at))


def places(chart: Chart) -> Floats:
    """Return all x of the curves that have names, in order: where the crosshair can stand."""
    known = [series.x[np.isfinite(series.x)] for series in chart.series if series.label]
    return np.unique(np.concatenate(known)) if known else np.empty(0)


def point_at(chart: Chart, x: Scale, share: float) -> float | None:
    """Return the x of the data nearest to a share of the axis; None without data."""
    there = places(chart)
    if not there.size:
        return None
    with np.errstate(invalid="ignore"):
        distance = np.abs(x.fractions(there) - share)
    return None if np.isnan(distance).all() else float(there[int(np.nanargmin(distance))])


def seen(chart: Chart, window: Window) -> Chart:
    """Return the chart as a window shows it."""
    if window.x is None and window.y is None and window.cross is None:
        return chart
    x_range, y_range = window.x or chart.x_range, window.y or chart.y_range
    if window.x is not None and window.follows:
        x_range = _end_part(chart, window.x[1] - window.x[0])
    return replace(chart, x_range=x_range, y_range=y_range, cross=window.cross)


def _end_part(chart: Chart, length: float) -> tuple[float | None, float | None]:
    """Return the last part of the x axis that is so long; the ends of the chart where all of it is shorter."""
    ends = [float(np.max(series.x)) for series in chart.series if series.x.size]
    starts = [float(np.min(series.x)) for series in chart.series if series.x.size]
    if (
        not ends
        or max(ends) - min([chart.x_range[0], *starts] if chart.x_range[0] is not None else starts) <= length
    ):
        return chart.x_range
    return max(ends) - length, max(ends)


def _resized(shown: Scale, whole: Scale, factor: float, at: float) -> Span | None:
    """Return the ends of an axis that shows more or less; None for all of it."""
    length, most = (shown.high - shown.low) * factor, whole.high - whole.low
    if length >= most:
        return None
    length = max(length, CLOSEST * most)
    low = shown.low + at * (shown.high - shown.low) - at * length
    return _inside(low, length, whole)


def _moved(shown: Scale, whole: Scale, by: float) -> Span:
    length = min(shown.high - shown.low, whole.high - whole.low)
    return _inside(shown.low + by * length, length, whole)


def _inside(low: float, length: float, whole: Scale) -> Span:
    """Return the ends of a part of an axis, moved so that it lies within the whole."""
    low = min(max(low, whole.low), whole.high - length)
    return Scale(low, low + length, whole.log).ends
