"""Positions and colours of the cells of a confusion grid."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

from rich.cells import cell_len
from rich.style import Style
from textual.color import Color
from textual.geometry import Size

from tui.terminal.contrast import contrast
from tui.widgets.confusion_matrix import ConfusionMatrix, Normalise

__all__ = ["Layout", "Paint", "arrange", "arrange_compact", "readable", "reveal"]

LONGEST_ROW_NAME = 24
LONGEST_COLUMN_NAME = 12
READABLE_NAME = 6
"""Cells a column gives its class name, at least, when the grid has to scroll anyway."""
TALLEST = 3
LEVELS = 24
FAINTEST = 0.12
"""How much of its colour a cell takes at least, so that one mistake is still seen."""
# With pure black and white one of them reaches 4.5 : 1 on any background.
INK, CHALK = Color(0, 0, 0), Color(255, 255, 255)


class Layout(NamedTuple):
    """Sizes in terminal cells; ``shown`` is how many classes have a row and a column."""

    head_width: int
    head_height: int
    cell_width: int
    cell_height: int
    shown: int

    @property
    def text_line(self) -> int:
        """The line of a cell that carries its number: the middle, or the upper one of two."""
        return (self.cell_height - 1) // 2

    @property
    def virtual_size(self) -> Size:
        """Size of the whole grid with its headers."""
        return Size(
            self.head_width + self.shown * self.cell_width, self.head_height + self.shown * self.cell_height
        )


def arrange(matrix: ConfusionMatrix, normalise: Normalise, available: Size) -> Layout:
    """Columns as wide as number and class name need and the room allows; rows of up to three lines."""
    classes = len(matrix)
    longest = max(map(cell_len, matrix.names))
    tight = matrix.text_width(normalise) + 1
    head_height = int(available.height > 1)
    lines = available.height - head_height
    head_width = _head_width(longest, available.width)
    room = max(available.width - head_width - (classes > lines), 1)
    if classes * tight > room:
        cell_width = min(max(tight, min(longest, READABLE_NAME) + 1), room)
        cell_height = 2 if classes * 2 < lines else 1
        return Layout(head_width, head_height, cell_width, cell_height, classes)
    widest = room // classes
    # Cells are at least as wide as tall, and a terminal cell is about twice as tall as wide.
    cell_height = max(1, min(lines // classes, TALLEST, (widest + 1) // 2))
    cell_width = min(widest, max(tight + 1, min(longest, LONGEST_COLUMN_NAME) + 1, 2 * cell_height))
    return Layout(head_width, head_height, cell_width, cell_height, classes)


def arrange_compact(matrix: ConfusionMatrix, available: Size) -> Layout:
    """Return as many classes as fit, and a line if some do not: a line and two or three cells each, more with room.

    Where columns have room for the longest name of a class, they take it.
    """
    longest = max(map(cell_len, matrix.names))
    head_height = int(available.height > 1)
    head_width = _head_width(longest, available.width)
    room = available.width - head_width
    cell_width = 3 if len(matrix) * 3 <= room else 2
    lines = available.height - head_height
    shown = min(len(matrix), room // cell_width, lines)
    if shown < len(matrix):
        shown = max(min(shown, lines - 1), 0)
        return Layout(head_width, head_height, cell_width, 1, shown)
    widest = room // max(shown, 1)
    cell_height = max(1, min(lines // max(shown, 1), TALLEST, (widest - 1) // 2))
    named = longest + 1 if longest < min(widest, LONGEST_COLUMN_NAME + 1) else 0
    return Layout(head_width, head_height, max(cell_width, 2 * cell_height + 1, named), cell_height, shown)


def _head_width(longest: int, width: int) -> int:
    # Two cells at least, for the unit in the corner; and a space between names and grid.
    return min(max(longest, 2) + 1, LONGEST_ROW_NAME + 1, width // 3)


def reveal(scroll: int, index: int, size: int, room: int) -> int:
    """The scroll position, at the start of an item, that shows all of item ``index``.

    The nearest one for a step over the edge; one with the item in the middle for a jump.
    """
    start = index * size
    if scroll <= start and start + size <= scroll + room:
        return scroll
    if scroll - size <= start < scroll:
        return start
    at_far_edge = min(ceil((start + size - room) / size) * size, start)
    if scroll <= start <= scroll + room:
        return at_far_edge
    return max((start - room // 2) // size * size, at_far_edge, 0)


@dataclass(frozen=True)
class Paint:
    """The styles of a grid, made once for a theme. ``right`` and ``wrong`` go from faint to full."""

    blank: Style
    head: Style
    head_at_cursor: Style
    zero: Style
    right: list[Style]
    wrong: list[Style]
    cursor: Style

    @classmethod
    def of(cls, component: Callable[[str], Style], blank: Style) -> "Paint":
        """From the component classes of a widget and the style of its background."""
        zero = component("confusion--cell")
        return cls(
            blank=blank,
            head=component("confusion--head"),
            head_at_cursor=component("confusion--head-at-cursor"),
            zero=zero,
            right=_shades(zero, component("confusion--right"), bold=True),
            wrong=_shades(zero, component("confusion--wrong"), bold=False),
            cursor=component("confusion--cursor"),
        )

    def cell(self, right: bool, depth: float) -> Style:
        """The style of a cell on (``right``) or off the diagonal, ``depth`` from 0 to 1."""
        if depth <= 0:
            return self.zero
        return (self.right if right else self.wrong)[ceil(depth * LEVELS) - 1]


def _shades(zero: Style, full: Style, bold: bool) -> list[Style]:
    base, colour = Color.from_rich_color(zero.bgcolor), Color.from_rich_color(full.bgcolor)
    steps = (1 - (1 - FAINTEST) * (1 - level / (LEVELS - 1)) for level in range(LEVELS))
    backgrounds = [base.blend(colour, step) for step in steps]
    return [
        Style(color=readable(background).rich_color, bgcolor=background.rich_color, bold=bold)
        for background in backgrounds
    ]


def readable(background: Color) -> Color:
    """Ink or chalk, whichever has the higher contrast ratio to ``background`` as WCAG 2.2 defines it."""
    return max(INK, CHALK, key=lambda text: contrast(text, background))
