"""A chart as a file: SVG and PNG drawn by matplotlib, as in reports, or text as on the screen."""

from typing import Any, Final

import numpy as np
from textual.color import Color

from core.palette import RGB
from core.report.figures import drawn
from tui.charts.plot_chart import SAMPLES, Chart, Mark, Series, line_markers
from tui.charts.plot_text import as_text
from tui.terminal.contrast import MARKS, legible
from tui.terminal.text import clean

__all__ = ["ENDINGS", "chart_file"]

ENDINGS: Final = (".svg", ".png", ".txt")
WIDTH, HEIGHT = 100, 30
"""Cells of a chart as text."""
PAPER = Color(255, 255, 255)
QUIET = "#9aa4a8"
SYMBOLS = {"★": "*", "✗": "X", "●": "o", "■": "s", "▲": "^", "◆": "D", "○": "o", "□": "s", "△": "^", "◇": "D"}
"""Markers of matplotlib for those of the screen."""


def chart_file(chart: Chart, title: str, ending: str) -> bytes:
    """Return the content of a file with a chart.

    Args:
        chart: as it is shown, with its part and its crosshair.
        title: above it. ending: one of `ENDINGS`.

    Raises:
        DependencyError: matplotlib is not installed.
    """
    if ending == ".txt":
        return _as_lines(chart, title).encode()
    return drawn(lambda axes: _draw(axes, chart, title), kind=ending[1:])


def _as_lines(chart: Chart, title: str) -> str:
    names = [
        f"{SAMPLES.get(marker, marker)} {clean(series.label)}"
        for series, marker in zip(chart.series, line_markers(chart), strict=True)
        if series.label
    ]
    return "\n".join(["  ".join([clean(title), *names]), as_text(chart, WIDTH, HEIGHT).plain, ""])


def _draw(axes: Any, chart: Chart, title: str) -> None:
    for series in chart.series:
        _line(axes, series)
    for mark in chart.marks:
        _mark(axes, mark)
    if chart.cross is not None:
        axes.axvline(chart.cross, color=QUIET, linestyle=":")
    axes.set(title=title, xlabel=chart.x_label, ylabel=chart.y_label)
    axes.set_xscale("log" if chart.log_x else "linear")
    axes.set_yscale("log" if chart.log_y else "linear")
    if chart.x_integer and not chart.log_x:
        axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlim(*chart.x_range)
    axes.set_ylim(*chart.y_range)
    if sum(bool(series.label) for series in chart.series) > 1:
        axes.legend()


def _line(axes: Any, series: Series) -> None:
    color = _ink(series.color)
    label = series.label or None
    if series.style == "points":
        axes.plot(series.x, series.y, ".", color=color, label=label)
        return
    style = "steps-post" if series.style == "steps" else "default"
    dashes = "-" if series.color else "--"
    axes.plot(series.x, series.y, dashes, color=color, label=label, drawstyle=style)


def _mark(axes: Any, mark: Mark) -> None:
    y = mark.y if mark.y is not None and np.isfinite(mark.y) else axes.get_ylim()[0]
    axes.plot(
        [mark.x], [y], SYMBOLS.get(mark.symbol, "o"), color=_ink(mark.color), markersize=9, clip_on=False
    )
    if mark.text:
        axes.annotate(mark.text, (mark.x, y), textcoords="offset points", xytext=(6, 4))


def _ink(color: RGB | None) -> str:
    return QUIET if color is None else legible(Color(*color), PAPER, MARKS).hex
