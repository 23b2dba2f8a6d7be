"""The console of a run: what user code printed, followed while it grows, searched, or its warnings alone."""

import re
from collections.abc import Callable
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import Input

from core.files.console import ConsoleReader
from core.runs.folder import Run
from tui.terminal.text import clean, count, wrapped
from tui.widgets.panel import Panel

__all__ = ["NOTHING", "ConsolePanel", "ConsoleView"]

LOOK_SECONDS = 0.5
SIGNS = {"": "  ", "warning": "▲ ", "error": "✗ "}
ERROR = re.compile(
    r"^Traceback |\b[A-Z]\w*(?:Error|Exception)\b|\b(?:ERROR|CRITICAL|FATAL)\b|^error\b", re.ASCII
)
WARNING = re.compile(r"\b\w*Warning\b|\bWARN(?:ING)?\b|^warning\b", re.ASCII)
TOLD = re.compile(r"rror|RROR|xception|arning|WARN|CRITICAL|FATAL|Traceback")
"""In each line of either kind: most lines are neither, and one search tells."""
NOTHING = "nothing was printed in the app or in the background; `tui train --no-ui` prints to its terminal"


def kind_of(line: str) -> str:
    """Return ``error``, ``warning`` or an empty string for a printed line."""
    if not TOLD.search(line):
        return ""
    return "error" if ERROR.search(line) else "warning" if WARNING.search(line) else ""


class ConsoleView(ScrollView, can_focus=True):
    """Draws the visible lines; follows the end unless it was scrolled away from it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"console--line", "console--warning", "console--error"}
    ALLOW_SELECT = False

    empty: reactive[str] = reactive("")
    """What is shown while there are no lines."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.rows: list[tuple[str, str]] = []  # kind and text, cleaned
        self.follows = True
        self._width = 0

    def clear(self) -> None:
        """Show no lines."""
        self.rows, self._width = [], 0
        self.virtual_size = Size(0, 0)
        self.scroll_to(0, 0, animate=False)
        self.refresh()

    def add(self, rows: list[tuple[str, str]], *, instead_of_last: bool) -> None:
        """Add rows at the end; the last one so far, which had not ended, may be replaced."""
        if instead_of_last:
            self.rows.pop()
        self.rows += rows
        self._width = max(
            [self._width, *(len(text) if text.isascii() else cell_len(text) for _, text in rows)]
        )
        self._take_size(Size(self._width + 2, len(self.rows)))
        self._follow()
        self.refresh()

    def _take_size(self, size: Size) -> None:
        """Take another size of all lines; the screen is laid out only if a scrollbar comes or goes with it."""
        bars = self.show_horizontal_scrollbar, self.show_vertical_scrollbar
        room = self.scrollable_content_region.size
        if bars != (size.width > room.width, size.height > room.height):
            self.virtual_size = size
            return
        self.set_reactive(ConsoleView.virtual_size, size)
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.window_virtual_size = size.height
        if self.show_horizontal_scrollbar:
            self.horizontal_scrollbar.window_virtual_size = size.width

    def watch_scroll_y(self, old: float, new: float) -> None:
        """Follow the end from now on, or no longer."""
        super().watch_scroll_y(old, new)
        self.follows = round(new) >= self.max_scroll_y

    def on_resize(self) -> None:
        self._follow()

    def _follow(self) -> None:
        if self.follows:
            self.scroll_to(y=self.max_scroll_y, animate=False, immediate=True, force=True)

    def render_line(self, y: int) -> Strip:
        left, top = self.scroll_offset
        width = self.size.width
        if top + y >= len(self.rows):
            said = wrapped(self.empty, width) if not self.rows else []
            text = said[y] if y < len(said) else ""
            return Strip([Segment(text, self._style(""))]).crop_extend(0, width, self._style(""))
        kind, text = self.rows[top + y]
        style = self._style(kind)
        return Strip([Segment(SIGNS[kind] + text, style)]).crop_extend(left, left + width, style)

    def _style(self, kind: str) -> Style:
        return self.get_component_rich_style(f"console--{kind or 'line'}")


class ConsolePanel(Panel):
    """The console of one run; reads only while it is displayed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "find", "find", key_display="/", tooltip="Show only the lines with a text"),
        Binding("w", "warnings", "warnings", tooltip="Show only warnings and errors"),
        Binding("escape", "leave", "close", tooltip="Show all lines again, or close the console"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._run: Run | None = None
        self._reader: ConsoleReader | None = None
        self._open_text: Callable[[], str] = str
        self._only_warnings, self._wanted = False, ""
        self._taken = self._generation = self._warnings = 0
        self._shown_open = False

    def compose(self) -> ComposeResult:
        yield ConsoleView(id="console-lines")
        yield Input(placeholder="find", compact=True, id="console-find")

    def on_mount(self) -> None:
        self.query_one("#console-find").display = False
        self.set_interval(LOOK_SECONDS, self.look)

    @property
    def view(self) -> ConsoleView:
        """The lines."""
        return self.query_one(ConsoleView)

    def follow(self, run: Run | None, open_text: Callable[[], str] = str) -> None:
        """Show the console of a run.

        Args:
            open_text: returns its last line, which has not ended, where that is not in its file yet.
        """
        self._open_text = open_text
        if run == self._run:
            return
        self._run = run
        self._reader = ConsoleReader(run.console_file) if run is not None else None
        self._show_all()
        self.look()

    def look(self) -> None:
        """Show what was printed since the last time."""
        reader = self._reader
        if reader is None or not self.is_mounted or not self.is_on_screen:
            return
        changed = reader.read()
        if reader.generation != self._generation:
            self._generation = reader.generation
            self._show_all()
        open_text = self._open_text() or reader.open_text
        if changed or open_text or self._shown_open:
            self._take(reader, open_text)
        self._tell()

    def _take(self, reader: ConsoleReader, open_text: str) -> None:
        new = [self._row(line) for line in reader.lines[self._taken :]]
        self._taken = len(reader.lines)
        self._warnings += sum(bool(kind) for kind, _ in new)
        rows = [*filter(self._is_wanted, new)]
        unfinished = [*filter(self._is_wanted, [self._row(open_text)] if open_text else [])]
        if rows or self._shown_open or unfinished:
            self.view.add([*rows, *unfinished], instead_of_last=self._shown_open)
        self._shown_open = bool(unfinished)

    def _row(self, line: str) -> tuple[str, str]:
        return kind_of(line), clean(line.expandtabs())

    def _is_wanted(self, row: tuple[str, str]) -> bool:
        kind, text = row
        return (bool(kind) or not self._only_warnings) and self._wanted.lower() in text.lower()

    def _show_all(self) -> None:
        """Start anew with the first line."""
        self._taken = self._warnings = 0
        self._shown_open = False
        self.view.clear()

    def _tell(self) -> None:
        self.view.empty = NOTHING if not self._taken and not self._shown_open else ""
        warnings = f", {_counted(self._warnings, 'warning')}" if self._warnings else ""
        self.border_title = f"console  {_counted(self._taken, 'line')}{warnings}"
        if self._wanted or self._only_warnings:
            what = "warning" if self._only_warnings else "line"
            found = f" with '{self._wanted}'" if self._wanted else ""
            self.border_subtitle = f"{_counted(len(self.view.rows), what)}{found}  esc all"
        else:
            self.border_subtitle = "/ find  w warnings only  esc close"

    def action_warnings(self) -> None:
        """Show only warnings and errors, or everything again."""
        self._filter(not self._only_warnings, self._wanted)

    def action_find(self) -> None:
        """Ask for a text."""
        field = self.query_one("#console-find", Input)
        field.display = True
        field.focus()

    def action_leave(self) -> None:
        """Show all lines again; once they are shown, close the console."""
        field = self.query_one("#console-find", Input)
        if self._wanted or self._only_warnings or field.display:
            field.value, field.display = "", False
            self._filter(False, "")
            self.view.focus()
        else:
            self.run_worker(self.run_action("screen.console"))

    @on(Input.Changed, "#console-find")
    def _find(self, event: Input.Changed) -> None:
        event.stop()
        self._filter(self._only_warnings, event.value)

    @on(Input.Submitted, "#console-find")
    def _found(self, event: Input.Submitted) -> None:
        event.stop()
        self.view.focus()

    def _filter(self, only_warnings: bool, wanted: str) -> None:
        if (only_warnings, wanted) != (self._only_warnings, self._wanted):
            self._only_warnings, self._wanted = only_warnings, wanted
            self._show_all()
            if self._reader is not None:
                self._take(self._reader, self._open_text() or self._reader.open_text)
            self._tell()


def _counted(number: int, what: str) -> str:
    return f"{count(number)} {what}{'s' * (number != 1)}"
