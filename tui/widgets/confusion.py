"""The confusion matrix as a grid of coloured numbers: with a cursor, or as a compact picture."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.terminal.text import count, fit
from tui.widgets.confusion_matrix import ConfusionMatrix, Normalise
from tui.widgets.confusion_paint import Layout, Paint, arrange, arrange_compact, reveal

__all__ = ["ConfusionGrid"]

NORMALISATIONS: tuple[Normalise, ...] = ("count", "row", "column")
UNITS: dict[Normalise, tuple[str, ...]] = {
    "count": ("count",),
    "row": ("row %", "%→"),
    "column": ("column %", "%↓"),
}
DENSITY = " ░▒▓█"


class ConfusionGrid(ScrollView, can_focus=True):
    """Row: true class; column: predicted class. Headers are fixed while cells scroll; only visible cells are drawn.

    The diagonal is blue by row share, mistakes are vermilion by row share relative to the worst; the cursor
    is yellow and in brackets. With ``compact=True`` there is no cursor and no scrolling: as many classes as
    fit, as shades (density characters where there is no colour and no room for numbers), with numbers only where
    all of them fit.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES = {
        "confusion--head",
        "confusion--head-at-cursor",
        "confusion--cell",
        "confusion--right",
        "confusion--wrong",
        "confusion--cursor",
    }
    DEFAULT_CSS = """
    ConfusionGrid {
        scrollbar-size: 1 1;
        &.-compact { overflow: hidden; }
        & > .confusion--head { color: $text-muted; }
        & > .confusion--head-at-cursor { color: $foreground; text-style: bold; }
        & > .confusion--cell { color: $text-muted; background: $surface; }
        & > .confusion--right { background: rgb(86,180,233); }
        & > .confusion--wrong { background: rgb(213,94,0); }
        & > .confusion--cursor { color: rgb(17,17,17); background: rgb(240,228,66); text-style: bold; }
    }
    """
    BINDINGS = [
        Binding("up", "move(-1, 0)", "Up", show=False),
        Binding("down", "move(1, 0)", "Down", show=False),
        Binding("left", "move(0, -1)", "Left", show=False),
        Binding("right", "move(0, 1)", "Right", show=False),
        Binding("home", "move(0, -1_000_000)", "First column", show=False),
        Binding("end", "move(0, 1_000_000)", "Last column", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("n", "normalise", "counts/row/col %"),
        Binding("m", "mistake(1)", "next mistake"),
        Binding("M", "mistake(-1)", "previous mistake", show=False),
        Binding("enter", "select", "samples"),
    ]

    normalise: reactive[Normalise] = reactive[Normalise]("count")
    """Unit of the numbers: counts, per cent of the true class (row) or of the predicted class (column)."""
    cursor: reactive[tuple[int, int]] = reactive((0, 0))
    """True class, predicted class."""

    @dataclass
    class Moved(Message):
        """The cell under the cursor has changed: the cursor moved, or ``show`` or ``normalise`` changed it.

        ``row_share`` is 0 to 1, None when the true class has no samples.
        """

        grid: "ConfusionGrid"
        true: int
        predicted: int
        count: int
        row_share: float | None

        @property
        def control(self) -> "ConfusionGrid":
            return self.grid

    @dataclass
    class Selected(Message):
        """A cell was chosen with Enter, a double click, or a click on the cursor."""

        grid: "ConfusionGrid"
        true: int
        predicted: int

        @property
        def control(self) -> "ConfusionGrid":
            return self.grid

    def __init__(self, *, compact: bool = False, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.compact = compact
        self.can_focus = not compact
        self.set_class(compact, "-compact")
        self._matrix: ConfusionMatrix | None = None
        self._sizes = Layout(0, 0, 1, 1, 0)
        self._click_moved = False
        self._paint: Paint | None = None

    def show(
        self,
        matrix: np.ndarray,
        class_names: Sequence[str],
        totals: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> None:
        """Show counts of shape (c, c). The cursor stays where it is unless the number of classes changes.

        Args:
            totals: of labels that stand together; see `ConfusionMatrix.of`.

        Raises ValueError unless there is one class name for each row and column.
        """
        self.show_matrix(ConfusionMatrix.of(matrix, class_names, totals))

    def show_matrix(self, matrix: ConfusionMatrix) -> None:
        """Show a matrix. The cursor stays where it is unless the number of classes changes."""
        before, self._matrix = self._matrix, matrix
        if before is None or len(before) != len(matrix):
            self.set_reactive(ConfusionGrid.cursor, (0, 0))
        self._arrange()
        self._tell()

    @property
    def caption(self) -> str:
        """The cursor's cell in words: ``true 4 → predicted 9: 22 of 982 (2.2 %)``; empty before ``show``."""
        return self._matrix.caption(*self.cursor, self.normalise) if self._matrix else ""

    # ---- moving

    def validate_cursor(self, cursor: tuple[int, int]) -> tuple[int, int]:
        last = max(len(self._matrix) - 1, 0) if self._matrix else 0
        return min(max(cursor[0], 0), last), min(max(cursor[1], 0), last)

    def watch_cursor(self, before: tuple[int, int], now: tuple[int, int]) -> None:
        if not self._matrix:
            return
        self._scroll_to_cursor()
        layout = self._sizes
        self.refresh(Region(0, 0, self._view.width, layout.head_height))
        for row in {before[0], now[0]}:
            y = layout.head_height + row * layout.cell_height - self.scroll_offset.y
            self.refresh(Region(0, y, self._view.width, layout.cell_height))
        self._tell()

    def _tell(self) -> None:
        if self._matrix:
            cell = self.cursor
            matrix = self._matrix
            self.post_message(self.Moved(self, *cell, int(matrix.counts[cell]), matrix.share(*cell)))

    def _scroll_to_cursor(self) -> None:
        layout, view = self._sizes, self._view
        row, column = self.cursor
        self.scroll_to(
            reveal(self.scroll_offset.x, column, layout.cell_width, view.width - layout.head_width),
            reveal(self.scroll_offset.y, row, layout.cell_height, view.height - layout.head_height),
            animate=False,
        )

    def action_move(self, down: int, right: int) -> None:
        """Move the cursor, as far as the edge."""
        self.cursor = (self.cursor[0] + down, self.cursor[1] + right)

    def action_page(self, pages: int) -> None:
        """Move the cursor by as many rows as are seen."""
        rows = (self._view.height - self._sizes.head_height) // self._sizes.cell_height
        self.action_move(pages * max(rows, 1), 0)

    def action_mistake(self, step: int) -> None:
        """Move to the next (1) or previous (-1) mistake in order of count, round and round."""
        if not self._matrix or not len(mistakes := self._matrix.mistakes):
            return
        classes = len(self._matrix)
        here = np.flatnonzero(mistakes == self.cursor[0] * classes + self.cursor[1])
        place = int(here[0]) + step if len(here) else min(step, 0)
        self.cursor = divmod(int(mistakes[place % len(mistakes)]), classes)

    def action_normalise(self) -> None:
        """Cycle from counts to row % to column %."""
        self.normalise = NORMALISATIONS[(NORMALISATIONS.index(self.normalise) + 1) % len(NORMALISATIONS)]

    def action_select(self) -> None:
        """Choose the cell under the cursor."""
        if self._matrix:
            self.post_message(self.Selected(self, *self.cursor))

    def on_click(self, event: events.Click) -> None:
        cell = self._cell_at(event)
        if cell is None:
            return
        if event.chain == 1:
            self._click_moved = cell != self.cursor
        # A double click chooses once: with its first click on the cursor, else with its second.
        if cell != self.cursor:
            self.cursor = cell
        elif event.chain == 1 or (event.chain == 2 and self._click_moved):
            self.action_select()

    def _cell_at(self, event: events.Click) -> tuple[int, int] | None:
        offset = event.get_content_offset(self)
        layout = self._sizes
        if offset is None or self.compact or offset.x < layout.head_width or offset.y < layout.head_height:
            return None
        column = (offset.x - layout.head_width + self.scroll_offset.x) // layout.cell_width
        row = (offset.y - layout.head_height + self.scroll_offset.y) // layout.cell_height
        return (row, column) if max(row, column) < layout.shown else None

    # ---- drawing

    @property
    def _view(self) -> Size:
        """Return the content area without the scrollbars."""
        width, height = self.container_size
        return Size(
            max(width - self.scrollbar_size_vertical, 0), max(height - self.scrollbar_size_horizontal, 0)
        )

    def _arrange(self) -> None:
        """Lay the grid out again for another matrix, normalisation or size."""
        if self._matrix and self.compact:
            self._sizes = arrange_compact(self._matrix, self.container_size)
        elif self._matrix:
            self._sizes = arrange(self._matrix, self.normalise, self.container_size)
        self.virtual_size = self._sizes.virtual_size
        self.refresh()
        # The scrollbars are known after the next layout.
        self.call_after_refresh(self._scroll_to_cursor)

    def on_resize(self) -> None:
        self._arrange()

    def validate_normalise(self, normalise: Normalise) -> Normalise:
        if normalise not in NORMALISATIONS:
            raise ValueError(f"normalise is {normalise!r}; it takes one of {', '.join(NORMALISATIONS)}")
        return normalise

    def watch_normalise(self) -> None:
        self._arrange()
        self._tell()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._paint = None

    @property
    def _styles(self) -> Paint:
        """The styles of the theme, made when they are first needed."""
        if self._paint is None:
            self._paint = Paint.of(self.get_component_rich_style, self.rich_style)
        return self._paint

    def render_line(self, y: int) -> Strip:
        width, sizes, matrix = self._view.width, self._sizes, self._matrix
        if not matrix:
            return Strip.blank(width, self._styles.blank)
        if y < sizes.head_height:
            return self._strip(self._unit(matrix), self._styles.head, partial(self._column_name, matrix))
        row, line = divmod(y - sizes.head_height + self.scroll_offset.y, sizes.cell_height)
        if row >= sizes.shown:
            cut = row == sizes.shown < len(matrix)
            note = f"{count(sizes.shown)} of {count(len(matrix))} classes shown" if cut else ""
            return Strip([Segment(fit(note, width), self._styles.head)], width)
        has_text = line == sizes.text_line
        name = matrix.names[row] if has_text else ""
        head_style = self._head_style(row == self.cursor[0])
        return self._strip(name, head_style, lambda column: self._cell(matrix, row, column, has_text))

    def _strip(self, head: str, head_style: Style, cell: Callable[[int], tuple[str, Style]]) -> Strip:
        """A line: the frozen head, then the columns in view.

        A cell cut by an edge shows no text: half a number is another number.
        """
        sizes, width = self._sizes, self._view.width
        head_text = fit(head, sizes.head_width - 1, align=">")
        segments = [Segment(fit(head_text, sizes.head_width), head_style)]
        x = sizes.head_width
        column, hidden = divmod(self.scroll_offset.x, sizes.cell_width)
        while x < width and column < sizes.shown:
            seen = min(sizes.cell_width - hidden, width - x)
            text, style = cell(column)
            segments.append(Segment(text if seen == sizes.cell_width else " " * seen, style))
            x, column, hidden = x + seen, column + 1, 0
        segments.append(Segment(" " * (width - x), self._styles.blank))
        return Strip(segments, width).simplify()

    def _head_style(self, at_cursor: bool) -> Style:
        return self._styles.head_at_cursor if at_cursor and not self.compact else self._styles.head

    def _column_name(self, matrix: ConfusionMatrix, column: int) -> tuple[str, Style]:
        width = self._sizes.cell_width
        name = matrix.short_name(column, width - 1)
        return fit(name, width, align="^"), self._head_style(column == self.cursor[1])

    def _cell(self, matrix: ConfusionMatrix, true: int, predicted: int, has_text: bool) -> tuple[str, Style]:
        width = self._sizes.cell_width
        depth = matrix.depth(true, predicted)
        if self.compact and self.app.no_color and not self._numbers_fit(matrix):
            share = matrix.share(true, predicted) or 0.0  # so that few mistakes look like few
            return DENSITY[ceil(share * (len(DENSITY) - 1))] * width, self._styles.head_at_cursor
        at_cursor = not self.compact and (true, predicted) == self.cursor
        style = (
            self._styles.cursor if at_cursor else self._styles.cell(matrix.is_right(true, predicted), depth)
        )
        if not has_text or not self._numbers_fit(matrix):
            return " " * width, style
        text = matrix.text(true, predicted, self.normalise)
        if at_cursor and len(text) + 2 <= width:
            text = f"[{text}]"
        elif at_cursor:
            style += Style(underline=True)
        return fit(text, width, align="^"), style

    def _numbers_fit(self, matrix: ConfusionMatrix) -> bool:
        return not self.compact or matrix.text_width(self.normalise) < self._sizes.cell_width

    def _unit(self, matrix: ConfusionMatrix) -> str:
        """Return the unit of the numbers, as long as the corner allows."""
        units = UNITS[self.normalise] if self._numbers_fit(matrix) else ()
        return next((unit for unit in units if len(unit) < self._sizes.head_width), "")
