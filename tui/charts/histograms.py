"""Histograms: one as bars, and many over the steps as densities."""

from collections.abc import Sequence

import numpy as np
from textual.content import Content

from core.runs.media.histograms import Counts
from tui.terminal.text import count, number

__all__ = ["histogram_lines"]

EIGHTHS = " ▁▂▃▄▅▆▇█"
SHADES = " ░▒▓█"
MARGIN = 9
"""Cells of the labels at the left."""
MIN_BARS, MIN_MAP = 4, 5
"""Fewest lines of the bars, and of the densities below them."""
INK, MUTED = "$primary", "$foreground 60%"


def histogram_lines(over_steps: Sequence[tuple[int, Counts]], place: int, width: int, height: int) -> Content:
    """Return the histogram at a place, and below it, where there is room, those of all steps.

    Args:
        over_steps: steps and their histograms, in order. place: among them.
        width, height: in cells.
    """
    counts = over_steps[place][1]
    low = min(each.edges[0] for _, each in over_steps)
    high = max(each.edges[-1] for _, each in over_steps)
    columns = max(1, width - MARGIN)
    facts = Content(_facts(counts)[:width])
    shows_map = height >= 1 + MIN_BARS + 1 + MIN_MAP + 2 and len(over_steps) > 1
    rows = max(1, (height - 4) // 2 if shows_map else height - 2)
    lines = [facts, *_bars(counts, low, high, columns, rows), _axis(low, high, columns)]
    if shows_map:
        lines += _density(over_steps, place, low, high, columns, height - len(lines) - 1)
    return Content("\n").join(lines[:height])


def _facts(counts: Counts) -> str:
    parts = [f"{count(round(counts.total))} values"]
    parts += [f"mean {number(counts.mean)}"] if counts.mean is not None else []
    parts += [f"sd {number(counts.deviation)}"] if counts.deviation is not None else []
    parts += [f"▲ {count(counts.not_finite)} not finite"] if counts.not_finite else []
    return "  ".join(parts)


def _shares(counts: Counts, edges: np.ndarray) -> np.ndarray:
    """Return the share of the values in each of some other bins."""
    below = np.concatenate(([0.0], np.cumsum(counts.counts)))
    cumulated = np.interp(edges, counts.edges, below)
    shares: np.ndarray = np.diff(cumulated) / max(below[-1], 1e-300)
    return shares


def _edges(low: float, high: float, bins: int) -> np.ndarray:
    return (
        low + (high - low) * np.linspace(0.0, 1.0, bins + 1)
        if np.isfinite(high - low)
        else np.linspace(low / 2, high / 2, bins + 1) * 2
    )


def _bars(counts: Counts, low: float, high: float, columns: int, rows: int) -> list[Content]:
    shares = _shares(counts, _edges(low, high, columns))
    most = shares.max() or 1.0
    heights = np.ceil(shares / most * rows * 8).astype(int)
    lines = []
    for row in range(rows):
        levels = np.clip(heights - (rows - 1 - row) * 8, 0, 8)
        label = f"{100 * most:.3g} %" if row == 0 else ""
        ink = "".join(EIGHTHS[level] for level in levels)
        lines.append(Content.assemble((label.rjust(MARGIN - 1) + " ", MUTED), (ink, INK)))
    return lines


def _axis(low: float, high: float, columns: int) -> Content:
    left, middle, right = number(low), number(low / 2 + high / 2), number(high)
    room = columns - len(left) - len(middle) - len(right)
    if room < 2:
        middle, room = "", columns - len(left) - len(right)
    text = left + " " * (room // 2) + middle + " " * (room - room // 2) + right
    return Content.styled(" " * MARGIN + text[:columns], MUTED)


def _density(
    over_steps: Sequence[tuple[int, Counts]], place: int, low: float, high: float, columns: int, rows: int
) -> list[Content]:
    """A column for each step, or each few cells one: the darker, the more values."""
    shown = np.linspace(0, len(over_steps) - 1, min(columns, len(over_steps))).round().astype(int)
    edges = _edges(low, high, rows)
    shares = np.array([_shares(over_steps[each][1], edges) for each in shown])
    levels = np.ceil(shares / (shares.max() or 1.0) * (len(SHADES) - 1)).astype(int)
    at = np.arange(columns) * len(shown) // columns
    lines = []
    for row in range(rows - 1, -1, -1):
        label = number(high) if row == rows - 1 else number(low) if row == 0 else ""
        ink = "".join(SHADES[levels[column, row]] for column in at)
        lines.append(Content.assemble((label.rjust(MARGIN - 1) + " ", MUTED), (ink, INK)))
    mark = int(np.argmin(np.abs(shown[at] - place)))
    first, last = f"step {count(over_steps[0][0])}", count(over_steps[-1][0])
    first, last = first * (mark > len(first)), last * (mark < columns - len(last) - 1)
    foot = first.ljust(mark) + "▲" + last.rjust(columns - mark - 1)
    return [*lines, Content.styled(" " * MARGIN + foot[:columns], MUTED)]
