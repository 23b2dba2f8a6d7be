"""A table of runs that draws visible rows only, so that ten thousand cost no more than ten."""

import time
from collections.abc import Mapping
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.events import Click, Resize
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from core.runs.folder import Run
from core.runs.listing import table_of_runs
from core.runs.summary import RunSummary
from core.tuning.listed import StudySummary
from tui.terminal.run_names import short_name
from tui.terminal.table_text import TableText
from tui.terminal.text import fit
from tui.terminal.themes import STATES, sign_of
from tui.widgets.run_list import RunList
from tui.widgets.runs_columns import (
    AGENT,
    GAP,
    MONITORED,
    TEST,
    TOOL,
    Column,
    lay_out,
    monitored,
    trials_text,
)

__all__ = ["RunsTable"]

CURSOR = "▸ "
SPACE = " " * GAP


class RunsTable(ScrollView, can_focus=True):
    """Rows under a header; the cursor stays on its run when rows are added, removed or sorted.

    Attributes:
        rows: as shown. cursor: the place in them, 0 for none.
        empty: shown when there are no rows.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES = {"runs--head", "runs--row", "runs--quiet", "runs--cursor"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "open", tooltip="Open the run in Live"),
        Binding("space", "mark", "mark", tooltip="Mark the run for Compare"),
        Binding("up,k", "move(-1)", "Previous run", show=False),
        Binding("down,j", "move(1)", "Next run", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home,g", "jump(0)", "First run", show=False),
        Binding("end,G", "jump(-1)", "Last run", show=False),
    ]

    class Highlighted(Message):
        """The cursor moved to another run or to none, or its run has changed."""

        def __init__(self, summary: RunSummary | None) -> None:
            super().__init__()
            self.summary = summary

    class Opened(Message):
        """Enter or a double click on a run."""

        def __init__(self, summary: RunSummary) -> None:
            super().__init__()
            self.summary = summary

    class Marked(Message):
        """Space on a run: mark or unmark it."""

        def __init__(self, summary: RunSummary) -> None:
            super().__init__()
            self.summary = summary

    class HeadClicked(Message):
        """A click on the name of a column."""

        def __init__(self, column: str) -> None:
            super().__init__()
            self.column = column

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.rows: list[RunSummary] = []
        self.cursor = 0
        self.empty = ""
        self._runs = RunList()
        self._absent: frozenset[str] = frozenset()
        self._laid_out: tuple[int, tuple[tuple[Column, int], ...]] = (-1, ())
        self._drawn: list[str] = []
        self._marks: Mapping[Run, int] = {}

    @property
    def selected(self) -> RunSummary | None:
        """The run under the cursor."""
        return self.rows[self.cursor] if self.rows else None

    def as_table(self) -> TableText:
        """Return all that is known of the runs, with all digits."""
        head, rows = table_of_runs(self.rows)
        return TableText(head, rows, self.cursor)

    @property
    def columns(self) -> list[str]:
        """Names of the columns that fit."""
        return [column.name for column, _ in self._columns]

    def show(self, runs: RunList) -> None:
        """Show the rows of a list; the cursor stays on its run if it is there. What is the same is not drawn again."""
        before, place = self.selected, self.cursor
        self._runs, self.rows = runs, runs.rows()
        is_tested = any(summary.test_opened or summary.has_test_alone for summary in self.rows)
        is_monitored = any(map(monitored, self.rows))
        has = {MONITORED: is_monitored, TEST: is_tested}
        has |= {TOOL: any(row.tool for row in self.rows), AGENT: any(row.agent for row in self.rows)}
        self._absent = frozenset(name for name, some_run_has_it in has.items() if not some_run_has_it)
        self._laid_out = -1, ()
        self.cursor = self._place_of(before) if before else 0
        self.virtual_size = Size(0, len(self.rows) + 1)
        if self.scroll_offset.y and self.cursor != place:  # at the top, new runs are visible
            self.scroll_to(y=self.scroll_offset.y + self.cursor - place, animate=False, force=True)
        self._keep_in_sight()
        drawn = [self.render_line(y).text for y in range(self.scrollable_content_region.height)]
        if drawn != self._drawn:
            self._drawn = drawn
            self.refresh()
        if self.selected != before:
            self.post_message(self.Highlighted(self.selected))

    def mark(self, marks: Mapping[Run, int]) -> None:
        """Show the sign of a slot beside these runs; below 0 that of a mark alone."""
        if marks != self._marks:
            self._marks = marks
            self.refresh()

    def _place_of(self, summary: RunSummary) -> int:
        """Return the place of a run; if it is gone, the place nearest to where it was."""
        found = (place for place, row in enumerate(self.rows) if row.run == summary.run)
        return next(found, min(self.cursor, max(0, len(self.rows) - 1)))

    def action_move(self, by: int) -> None:
        """Move the cursor by some rows."""
        self._go_to(self.cursor + by)

    def action_page(self, by: int) -> None:
        """Move the cursor by a screenful."""
        self._go_to(self.cursor + by * max(1, self._seen - 1))

    def action_jump(self, place: int) -> None:
        """Move the cursor to the first (0) or the last (-1) row."""
        self._go_to(place if place >= 0 else len(self.rows) - 1)

    def action_open(self) -> None:
        """Open the run under the cursor."""
        if self.selected is not None:
            self.post_message(self.Opened(self.selected))

    def action_mark(self) -> None:
        """Mark or unmark the run under the cursor, and move to the next one."""
        if self.selected is not None:
            self.post_message(self.Marked(self.selected))
            self.action_move(1)

    def on_click(self, event: Click) -> None:
        place = self.scroll_offset.y + event.y - 1
        if event.y == 0:
            column = self._column_at(event.x)
            if column is not None:
                self.post_message(self.HeadClicked(column))
        elif place < len(self.rows):
            self._go_to(place)
            if event.chain == 2:
                self.action_open()

    def on_resize(self, event: Resize) -> None:
        self._keep_in_sight()

    @property
    def _columns(self) -> tuple[tuple[Column, int], ...]:
        """The columns that have room, with their widths."""
        room = self.scrollable_content_region.width - len(CURSOR) - 1  # nothing touches the scrollbar
        if self._laid_out[0] != room:
            self._laid_out = room, lay_out(room, self._runs.widths, self._absent, self._runs.chosen)
        return self._laid_out[1]

    @property
    def _seen(self) -> int:
        """Rows in sight: all lines but the head."""
        return max(1, self.scrollable_content_region.height - 1)

    def _go_to(self, place: int) -> None:
        place = max(0, min(place, len(self.rows) - 1))
        if place == self.cursor or not self.rows:
            return
        for changed in (self.cursor, place):
            self.refresh_lines(changed + 1, 1)  # below the head
        self.cursor = place
        self._keep_in_sight()
        self.post_message(self.Highlighted(self.selected))

    def _keep_in_sight(self) -> None:
        top = self.scroll_offset.y
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, force=True)
        elif self.cursor >= top + self._seen:
            self.scroll_to(y=self.cursor - self._seen + 1, animate=False, force=True)

    def _column_at(self, x: int) -> str | None:
        right = len(CURSOR)
        for column, width in self._columns:
            right += width + GAP
            if x < right:
                return column.name
        return None

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        place = self.scroll_offset.y + y - 1
        if y == 0:
            line = [Segment(self._head(), self._style("head"))]
        elif place < len(self.rows):
            line = self._row(place)
        else:
            text = fit(f"  {self.empty}", width) if y == 2 and not self.rows else ""
            line = [Segment(text, self._style("quiet"))]
        return Strip(line).adjust_cell_length(width, line[-1].style)

    def _head(self) -> str:
        """The names, that of the sorting column with an arrow: for numbers in the gap before it."""
        sorting, falling = self._runs.column, self._runs.falling
        text = " " * len(CURSOR)
        for column, width in self._columns:
            arrow = ("▼" if falling else "▲") if column.name == sorting else ""
            if column.align == "<":
                text += fit(column.title + arrow, width) + SPACE
            else:
                text = text[:-1] + fit(arrow + column.title, width + 1, align=">") + SPACE
        return text.removesuffix(SPACE)

    def _row(self, place: int) -> list[Segment]:
        summary = self.rows[place]
        has_cursor = place == self.cursor
        style = self._style("cursor" if has_cursor else "row")
        now = time.time()
        line = [Segment(CURSOR[0] if has_cursor else " ", style), self._mark_of(summary, style)]
        for index, (column, width) in enumerate(self._columns):
            if index > 1 and summary.status == "damaged":
                room = sum(width + GAP for _, width in self._columns[index:]) - GAP
                return [*line, Segment(fit(summary.error, room), style)]
            if column.name == "status" and isinstance(summary, StudySummary):
                text = trials_text(summary, is_open=self._runs.is_open(summary.run.id))
            elif column.name == "run":
                text = short_name(summary, width, is_shared=self._runs.titles[summary.title] > 1)
                text = f"· {text}" if summary.study and not isinstance(summary, StudySummary) else text
            else:
                text = column.show(summary, now)
            cell = fit(text, width, align=column.align)
            line.append(
                Segment(cell, self._status_style(summary, style) if column.name == "status" else style)
            )
            line.append(Segment(SPACE, style))
        return line

    def _mark_of(self, summary: RunSummary, style: Style) -> Segment:
        """The sign of a marked run."""
        slot = self._marks.get(summary.run)
        if slot is None:
            return Segment(" ", style)
        if slot < 0:
            return Segment("+", style)
        sign, color = sign_of(slot)
        return Segment(sign, style + Style(color="rgb({},{},{})".format(*color)))

    def _status_style(self, summary: RunSummary, style: Style) -> Style:
        """Colour active and failed runs only: most are complete."""
        return style if summary.status == "completed" else style + Style(color=STATES[summary.status][1])

    def _style(self, kind: str) -> Style:
        return self.get_component_rich_style(f"runs--{kind}")
