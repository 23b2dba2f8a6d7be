"""Charts as plain data: series, marks, axes, and the legend."""

import os
import sys
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from rich.cells import cell_len
from textual.color import Color
from textual.content import Content
from textual.style import Style

from core.palette import RGB
from core.runs.history.series import Floats
from tui.terminal.text import clean

__all__ = [
    "RGB",
    "Chart",
    "Ink",
    "LineStyle",
    "Mark",
    "Range",
    "Series",
    "legend",
    "line_markers",
    "speaks_unicode",
]

Ink = RGB | Literal["", "axis", "label"]
"""A colour, or a part of a chart whose colour the theme gives."""
Range = tuple[float | None, float | None]
LineStyle = Literal["line", "steps", "points"]

COLOURLESS_MARKERS = ("braille", "hd", "•", "+", "×", "o", "*", "#", "%", "=", "$", "&")
PLAIN_MARKERS = ("*", "o", "+", "x", "#", "%", "=", "@", "$", "&")
SAMPLES = {"braille": "━", "hd": "■"}


@dataclass(frozen=True, init=False, eq=False)
class Series:
    """One curve. Two series are equal if they draw the same; their arrays must not change afterwards.

    Lists of numbers become arrays.

    Raises:
        ValueError: ``x`` and ``y`` are not lists of numbers of equal length, or the marker is invalid.
    """

    label: str
    """Its name in the legend; without one it is left out there (reference lines)."""
    x: Floats
    """Shape (n,). NaN and infinite values drop the point."""
    y: Floats
    """Shape (n,), the same. NaN and infinite values, and values <= 0 on a log axis, break the line."""
    color: RGB | None
    """Red, green, blue from 0 to 255; None is the muted colour of the axes."""
    marker: str
    """``braille`` (2 x 4 dots a cell), ``hd`` (2 x 2 blocks) or one character."""
    style: LineStyle
    """``line`` joins the points, ``steps`` holds each y until the next x, ``points`` joins nothing."""

    def __init__(
        self,
        label: str,
        x: ArrayLike,
        y: ArrayLike,
        color: RGB | None = None,
        marker: str = "braille",
        style: LineStyle = "line",
    ) -> None:
        across, up = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
        if across.ndim != 1 or across.shape != up.shape:
            raise ValueError(
                f"series {label!r} has x of shape {across.shape} and y of shape {up.shape}; "
                "both must be lists of numbers of the same length"
            )
        if marker not in SAMPLES and cell_len(marker) != 1:
            raise ValueError(
                f"series {label!r} has the marker {marker!r}; take one of {', '.join(SAMPLES)} "
                "or a character of one cell"
            )
        fields = {"label": label, "x": across, "y": up, "color": color, "marker": marker, "style": style}
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Series) and (
            (self.label, self.color, self.marker, self.style)
            == (other.label, other.color, other.marker, other.style)
            and _same(self.x, other.x)
            and _same(self.y, other.y)
        )


def _same(left: Floats, right: Floats) -> bool:
    return left is right or (left.shape == right.shape and np.array_equal(left, right, equal_nan=True))


@dataclass(frozen=True)
class Mark:
    """A symbol at a place: ``★`` the best epoch, ``✗`` where the loss became NaN, ``●`` a cursor."""

    x: float
    y: float | None = None
    """None (or not finite): the mark stands on the x axis."""
    symbol: str = "★"
    color: RGB | None = None
    text: str = ""
    """Written beside the symbol where no curve is in the way."""


@dataclass(frozen=True)
class Chart:
    """Everything a plot shows. Equal charts are drawn once."""

    series: tuple[Series, ...] = ()
    """Drawn in this order: the last one lies on top."""
    marks: tuple[Mark, ...] = ()
    x_label: str = ""
    y_label: str = ""
    log_x: bool = False
    log_y: bool = False
    x_range: Range = (None, None)
    """Ends of the x axis; None takes the end from the data."""
    y_range: Range = (None, None)
    x_integer: bool = False
    """Ticks only at whole numbers: epochs, trials."""
    empty: str = "no data yet"
    """Shown in the middle when there is nothing to draw."""
    named: bool = False
    """The names of both axes are always shown, on rows of their own where there is no gap for them."""
    cross: float | None = None
    """Place of the crosshair on the x axis, where the values of all curves are read; None for none."""


def speaks_unicode() -> bool:
    """Return whether the stream Textual draws on takes more than a legacy character set."""
    encoding = getattr(sys.__stderr__, "encoding", None) or "utf-8"
    return encoding.lower().startswith("utf")


def line_markers(chart: Chart) -> list[str]:
    """Return the marker of each series: its own, or a distinct one where colour or Unicode is missing."""
    unicode = speaks_unicode()
    if unicode and "NO_COLOR" not in os.environ:
        return [series.marker for series in chart.series]
    markers: list[str] = []
    for series in chart.series:
        choices: tuple[str, ...] = COLOURLESS_MARKERS if unicode else PLAIN_MARKERS
        if series.style == "points":
            choices = tuple(marker for marker in choices if marker not in SAMPLES)
        if series.color is None:
            choices = ("·" if unicode else ".",)
        unused = [marker for marker in choices if marker not in markers]
        markers.append(unused[0] if unused else choices[len(markers) % len(choices)])
    return markers


def legend(chart: Chart) -> Content:
    """The names of the series, each behind a dash in its colour: ``━ train  ━ validation``.

    For a panel's title. Labels are never parsed as markup; control characters in them are made visible.
    """
    parts: list[Content | str | tuple[str, Style]] = []
    for series, marker in zip(chart.series, line_markers(chart), strict=True):
        if not series.label:
            continue
        style = Style(foreground=Color(*series.color)) if series.color else Style(dim=True)
        parts += ["  " if parts else "", (SAMPLES.get(marker, marker), style), f" {clean(series.label)}"]
    return Content.assemble(*parts)
