"""A table of any length: rows are made when they are seen, one of them has the cursor."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding
from textual.events import Click
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.charts.plot_chart import RGB
from tui.terminal.table_text import TableText, distinct
from tui.terminal.text import fit

__all__ = ["Cell", "Column", "Table"]

SMALLEST = 6
"""Cells that a column without a width gets at least."""
Cell = str | tuple[str, RGB]
"""Text from anywhere, or text with a colour."""


@dataclass(frozen=True)
class Column:
    """A title and a width in cells; `align` is ``<`` or ``>``. Width 0 takes what the others leave."""

    title: str
    width: int = 8
    align: str = ">"


class Table(ScrollView, can_focus=True):
    """Head and first columns stay while the rest scrolls; ``▸`` marks the row with the cursor."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES = {"table--head", "table--row", "table--cursor"}
    DEFAULT_CSS = """
    Table {
        height: 1fr;
        scrollbar-size: 1 1;
        & > .table--head { color: $text-muted; text-style: bold; }
        & > .table--row { color: $foreground; }
        & > .table--cursor { color: $foreground; background: $panel; text-style: bold; }
        &:focus > .table--cursor { background: $foreground 20%; }
    }
    """
    BINDINGS = [
        Binding("up", "move(-1)", "Up", show=False),
        Binding("down", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "move(-1_000_000_000)", "First row", show=False),
        Binding("end", "move(1_000_000_000)", "Last row", show=False),
        Binding("left", "shift(-1)", "Columns to the left", show=False),
        Binding("right", "shift(1)", "Columns to the right", show=False),
        Binding("enter", "choose", "Open", show=False),
    ]

    cursor: reactive[int] = reactive(0, init=False)
    """The row with the cursor, from 0."""

    @dataclass
    class Highlighted(Message):
        """The cursor came to a row."""

        table: "Table"
        row: int

        @property
        def control(self) -> "Table":
            return self.table

    @dataclass
    class Chosen(Message):
        """A row was chosen with Enter, or with a click when it had the cursor."""

        table: "Table"
        row: int

        @property
        def control(self) -> "Table":
            return self.table

    @dataclass
    class HeadClicked(Message):
        """The title of a column was clicked."""

        table: "Table"
        column: int

        @property
        def control(self) -> "Table":
            return self.table

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._columns: Sequence[Column] = ()
        self._frozen = 0
        self._cells: Callable[[int], Sequence[Cell]] = lambda row: ()
        self.row_count = 0

    def show(
        self, columns: Sequence[Column], rows: int, cells: Callable[[int], Sequence[Cell]], *, frozen: int = 0
    ) -> None:
        """Show other rows.

        Args:
            cells: the cells of a row, called for rows that are seen.
            frozen: how many columns do not scroll sideways.
        """
        self._columns, self._cells, self._frozen = columns, cells, frozen
        self.row_count = rows
        self.set_reactive(Table.cursor, min(self.cursor, max(0, rows - 1)))
        self._measure()

    def as_table(self) -> TableText:
        """Return all rows and columns as they are shown."""
        cells = ([*self._cells(row)] for row in range(self.row_count))
        rows = [[cell if isinstance(cell, str) else cell[0] for cell in row] for row in cells]
        return TableText(distinct([column.title for column in self._columns]), rows, self.cursor)

    def validate_cursor(self, cursor: int) -> int:
        return min(max(cursor, 0), max(0, self.row_count - 1))

    def watch_cursor(self) -> None:
        self._reveal()
        self.refresh()
        if self.row_count:
            self.post_message(self.Highlighted(self, self.cursor))

    def action_move(self, rows: int) -> None:
        """Move the cursor, as far as the first or last row."""
        self.cursor += rows

    def action_page(self, pages: int) -> None:
        """Move the cursor by as many rows as are seen."""
        self.cursor += pages * max(1, self._view.height - 2)

    def action_shift(self, by: int) -> None:
        """Scroll sideways, to where the next or the previous column starts."""
        starts = [start for start, _ in self._spans()[self._frozen :]]
        at = self.scroll_offset.x
        further = [start for start in starts if (start > at if by > 0 else start < at)]
        if further:
            self.scroll_to(x=min(further) if by > 0 else max(further), animate=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return False for sideways scrolling where nothing is hidden, so that its keys are free for others."""
        return action != "shift" or self.max_scroll_x > 0

    def action_choose(self) -> None:
        """Choose the row with the cursor."""
        if self.row_count:
            self.post_message(self.Chosen(self, self.cursor))

    def on_click(self, event: Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if offset.y == 0:
            self._click_head(offset.x)
            return
        row = self.scroll_offset.y + offset.y - 1
        if row >= self.row_count:
            return
        if row == self.cursor:
            self.action_choose()
        else:
            self.cursor = row

    def _click_head(self, x: int) -> None:
        widths = self._widths()
        left = 1
        frozen = sum(width + 1 for width in widths[: self._frozen])
        at = x if x < left + frozen else x + self.scroll_offset.x
        for column, width in enumerate(widths):
            left += width + 1
            if at < left:
                self.post_message(self.HeadClicked(self, column))
                return

    @property
    def _view(self) -> Size:
        return self.scrollable_content_region.size

    def _widths(self) -> list[int]:
        """The width of each column, before a space each; the one without a width takes what is left."""
        fixed = sum(column.width + 1 for column in self._columns)
        open_ended = sum(not column.width for column in self._columns)
        spare = max(SMALLEST, (self._view.width - 1 - fixed) // max(1, open_ended))
        return [column.width or spare for column in self._columns]

    def _measure(self) -> None:
        # A column that takes what is left never makes a scrollbar by itself.
        width = 1 + sum((column.width or SMALLEST) + 1 for column in self._columns)
        self.virtual_size = Size(width, self.row_count + 1)
        self.refresh()
        self.call_after_refresh(self._reveal)

    def on_resize(self) -> None:
        self._measure()

    def _reveal(self) -> None:
        rows = max(1, self._view.height - 1)
        top = self.scroll_offset.y
        if not top <= self.cursor < top + rows:
            self.scroll_to(y=self.cursor if self.cursor < top else self.cursor - rows + 1, animate=False)

    def render_line(self, y: int) -> Strip:
        width, row = self._view.width, self.scroll_offset.y + y - 1
        if y == 0:
            head = self.get_component_rich_style("table--head")
            return self._line([column.title for column in self._columns], " ", head, width)
        if row >= self.row_count:
            return Strip.blank(width, self.rich_style)
        at_cursor = row == self.cursor
        style = self.get_component_rich_style("table--cursor" if at_cursor else "table--row")
        return self._line(self._cells(row), "▸" if at_cursor else " ", style, width)

    def _spans(self) -> list[tuple[int, int]]:
        """Return where each column starts and ends, in cells behind the frozen columns."""
        widths = self._widths()
        starts = list(accumulate((width + 1 for width in widths), initial=0))
        frozen = starts[self._frozen]
        return [
            (start - frozen, start - frozen + width) for start, width in zip(starts, widths, strict=False)
        ]

    def _cut(self, width: int) -> set[int]:
        """Return the columns that would be seen in part; the first one is shown in any case."""
        spans = self._spans()
        left = self.scroll_offset.x
        right = left + width - 1 + (spans[0][0] if spans else 0)
        seen = [
            place
            for place, (start, end) in enumerate(spans)
            if place >= self._frozen and start < right and end > left
        ]
        cut = {place for place in seen if spans[place][0] < left or spans[place][1] > right}
        return cut if len(cut) < len(seen) else cut - set(seen[:1])

    def _line(self, cells: Sequence[Cell], mark: str, style: Style, width: int) -> Strip:
        segments = [Segment(mark, style)]
        widths, cut = self._widths(), self._cut(width)
        for place, (cell, column, room) in enumerate(zip(cells, self._columns, widths, strict=True)):
            text, color = (cell, None) if isinstance(cell, str) else cell
            text = "" if place in cut else text
            inked = style if color is None else style + Style(color="rgb({},{},{})".format(*color))
            segments += [Segment(fit(text, room, align=column.align), inked), Segment(" ", style)]
        frozen = 1 + sum(room + 1 for room in widths[: self._frozen])
        line = Strip(segments)
        shift = self.scroll_offset.x
        if shift:
            line = Strip.join([line.crop(0, frozen), line.crop(frozen + shift, None)])
        return line.adjust_cell_length(width, style)
