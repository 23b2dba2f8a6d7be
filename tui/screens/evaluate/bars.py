"""Bars and lists of numbers as lines of text."""

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content

from tui.charts.plot_chart import RGB
from tui.terminal.text import fit
from tui.terminal.themes import BLUE

__all__ = ["bar", "bars"]

EIGHTHS = " ▏▎▍▌▋▊▉"
LONGEST_NAME = 18


def bar(share: float, width: int) -> str:
    """A bar of `width` cells, filled to a share from 0 to 1 in eighths of a cell; a positive share is never empty."""
    filled = min(max(share, 0.0), 1.0) * width
    eighths = max(round(filled * 8), 1 if share > 0 else 0)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (EIGHTHS[rest] if rest else "")).ljust(width)


def bars(
    rows: Sequence[tuple[str, float, str]],
    width: int,
    colors: Sequence[RGB] = (),
    *,
    marks: Sequence[str] = (),
) -> Content:
    """Return one line per row: name, bar, number.

    Args:
        rows: name, share from 0 to 1, and the number as it is written.
        width: total cells.
        colors: of each bar.
        marks: a character before each name.
    """
    if not rows:
        return Content("")
    named = min(max(cell_len(name) for name, _, _ in rows), LONGEST_NAME, max(4, width // 3))
    numbers = max(cell_len(text) for _, _, text in rows)
    room = max(1, width - named - numbers - 2 - (2 if marks else 0))
    lines = []
    for place, (name, share, text) in enumerate(rows):
        red, green, blue = colors[place] if colors else BLUE
        mark = f"{marks[place]} " if marks else ""
        lines.append(
            Content.assemble(
                f"{mark}{fit(name, named, empty='∅')} ",
                (bar(share, room), f"rgb({red},{green},{blue})"),
                f" {fit(text, numbers, align='>')}",
            )
        )
    return Content("\n").join(lines)
