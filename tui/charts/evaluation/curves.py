"""Charts of ROC and precision-recall curves."""

from collections.abc import Sequence

from core.evaluation.curve_sets import MEANS, Curve, CurveKind
from core.evaluation.two_classes.bands import Band
from core.palette import OKABE_ITO
from tui.charts.plot_chart import RGB, Chart, Mark, Series
from tui.terminal.text import fit, number
from tui.terminal.themes import YELLOW

__all__ = [
    "KINDS",
    "chance",
    "chart",
    "class_color",
    "class_marker",
    "color_of",
    "drawing_order",
    "marker_of",
]

KINDS: dict[CurveKind, tuple[str, str]] = {
    "roc": ("ROC, one-vs-rest", "AUC"),
    "pr": ("PR, one-vs-rest", "average precision"),
}
"""Title of each kind of chart, and the name of the area under its lines."""
NAME_WIDTH = 20
MEAN_COLORS = ((205, 205, 205), (150, 150, 150))
PALETTE = OKABE_ITO[:6]
LINES = ("braille", "hd", "•", "+", "×", "o")
"""Markers of the lines: those of the classes that share a colour differ."""


def class_color(number: int) -> RGB:
    """Return the colour of a class: they take turns in the palette."""
    return PALETTE[number % len(PALETTE)]


def class_marker(number: int) -> str:
    """Return the marker of a class: another one each time that the classes begin the palette again."""
    return LINES[number // len(PALETTE) % len(LINES)]


def color_of(curves: Sequence[Curve], number: int) -> RGB:
    """Return the colour of a curve: that of its class; the means are grey."""
    mean = number - (len(curves) - len(MEANS))
    return MEAN_COLORS[mean] if mean >= 0 else class_color(number)


def marker_of(curves: Sequence[Curve], number: int) -> str:
    """Return the marker of a curve."""
    mean = number - (len(curves) - len(MEANS))
    return LINES[mean] if mean >= 0 else class_marker(number)


def drawing_order(curves: Sequence[Curve], shown: Sequence[int], kind: CurveKind, chosen: int) -> list[int]:
    """Return the curves that have a line, in drawing order."""
    return sorted((n for n in shown if curves[n].lines[kind]), key=lambda n: (n == chosen, -n))


def chart(
    curves: Sequence[Curve],
    shown: Sequence[int],
    kind: CurveKind,
    *,
    at: tuple[int, int] | None = None,
    markers: Sequence[str] = (),
    bands: Sequence[Band] = (),
) -> Chart:
    """Return the chart of some curves: means below, classes on top, a muted line for guessing.

    Args:
        shown: numbers of curves; those without a line are left out.
        at: the curve and the position of the cursor on it; that curve is on top.
        markers: one for each of `shown`, where colour cannot distinguish them.
        bands: whose ends are muted lines, below the curves.
    """
    chosen = at[0] if at else -1
    given = dict(zip(shown, markers, strict=False))
    order = drawing_order(curves, shown, kind, chosen)
    series = [
        Series(curves[n].name, *line, color_of(curves, n), given.get(n) or marker_of(curves, n))
        for n in order
        if (line := curves[n].lines[kind]) is not None
    ]
    guess = _guess(curves[chosen if at else order[-1]] if order else None, kind)
    ends = [Series("", band.x, end) for band in bands for end in (band.low, band.high)]
    across, up = ("false positive rate", "true positive rate") if kind == "roc" else ("recall", "precision")
    return Chart(
        series=(*guess, *ends, *series) if series else (),
        marks=_cursor(curves[chosen], kind, at[1]) if at and chosen in shown else (),
        x_label=across,
        y_label=up,
        x_range=(0.0, 1.0),
        y_range=(0.0, 1.0),
        named=True,
        empty="no curve is shown" if curves else "",
    )


def chance(curve: Curve, kind: CurveKind) -> str:
    """Name the muted line of guessing."""
    return (
        "muted line: chance"
        if kind == "roc"
        else f"muted line: chance, precision {number(curve.prevalence, 3)}"
    )


def _cursor(curve: Curve, kind: CurveKind, place: int) -> tuple[Mark, ...]:
    line = curve.lines[kind]
    if line is None:
        return ()
    x, y = (float(values[place]) for values in line)
    return (Mark(x, y, "●", YELLOW, fit(curve.name, NAME_WIDTH).rstrip()),)


def _guess(curve: Curve | None, kind: CurveKind) -> tuple[Series, ...]:
    """Return the curve of guessing: the diagonal, or the share of positives."""
    if curve is None:
        return ()
    ends = (0.0, 1.0) if kind == "roc" else (curve.prevalence, curve.prevalence)
    return (Series("", (0.0, 1.0), ends),)
