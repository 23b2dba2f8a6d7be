"""A chart as text: for a terminal in colour, for a log file without."""

from collections.abc import Mapping

from rich.style import Style
from rich.text import Text

from tui.charts.plot import draw
from tui.charts.plot_chart import Chart, line_markers
from tui.charts.plot_layout import Ink
from tui.terminal.text import clean, number

__all__ = ["MARKERS", "as_text", "legend_text"]

MARKERS = ("•", "+", "o")
"""Markers that distinguish lines where there is no colour."""


def as_text(chart: Chart, width: int, height: int) -> Text:
    """The chart in ``width`` x ``height`` cells. A console that has no colour prints the same characters."""
    text = Text(no_wrap=True)
    for row in draw(chart, width, height):
        for part, ink in row:
            text.append(part, _style(ink))
        text.rstrip()
        text.append("\n")
    text.rstrip()
    return text


def legend_text(chart: Chart, values: Mapping[str, float | None], what: str) -> Text:
    """The lines of a chart by their marker, each with its value: ``• micro 0.9991``."""
    parts = [Text(f"{what}  ", "dim")]
    for series, marker in zip(chart.series, line_markers(chart), strict=True):
        if series.label:
            parts.append(Text(marker, _style(series.color or "axis")))
            parts.append(Text(f" {clean(series.label)} {number(values[series.label])}   "))
    return Text.assemble(*parts)


def _style(ink: Ink) -> Style:
    if isinstance(ink, str):
        return Style(dim=bool(ink))
    return Style(color="rgb({},{},{})".format(*ink))
