"""The samples at some positions: pictures in tiles, or rows of a table; loaded on first use."""

from dataclasses import dataclass

import numpy as np
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from core.counting import counted
from tui.forms.remedies import error_in_app
from tui.screens.background import Background
from tui.screens.evaluate.detail import SampleDialog
from tui.screens.evaluate.facts import caption, columns_of, row_of
from tui.screens.evaluate.tab import Subject
from tui.terminal.text import clean, count, progress_line
from tui.widgets.table import Table
from tui.widgets.tiles import Tiles

__all__ = ["SampleList"]


class SampleTable(Table):
    """Samples as rows."""

    BINDINGS = [Binding("enter", "choose", "enlarge")]


class SampleList(Background, Container):
    """Enter enlarges the sample with the cursor."""

    DEFAULT_CSS = """
    SampleList { height: 1fr; }
    SampleList > Static { color: $text-muted; width: 1fr; height: auto; }
    """

    @dataclass
    class Highlighted(Message):
        """The cursor moved to the sample at `position`; `text` describes the visible range."""

        samples: "SampleList"
        position: int
        text: str

        @property
        def control(self) -> "SampleList":
            return self.samples

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.subject: Subject | None = None
        self.positions: np.ndarray = np.empty(0, dtype=np.int64)

    def compose(self) -> ComposeResult:
        yield Static("", markup=False)
        yield Tiles()
        yield SampleTable()

    def on_mount(self) -> None:
        self.say("")

    def say(self, text: str) -> None:
        """Show a message in place of samples."""
        self.forget("samples")
        self.query_one(Static).update(Content(clean(text)))
        self._choose(Static)

    def show(self, subject: Subject, positions: np.ndarray, *, focus: bool = False) -> None:
        """Show the samples at some positions (n,), in their order.

        Args:
            focus: whether they get the focus, unless it has moved by the time that they are loaded.
        """
        self.subject, self.positions = subject, positions
        if subject.samples.ready(positions):
            self._fill(subject, focus)
            return
        self.say("loading the samples ...")
        asked_from = self.screen.focused
        self.in_background(
            "samples",
            lambda progress: subject.samples.read(positions, progress),
            lambda _: self._fill(subject, focus and self.screen.focused is asked_from),
            self._failed,
        )

    @property
    def active(self) -> Tiles | Table | None:
        """Return the widget that currently shows samples."""
        return next((w for w in (self.query_one(Tiles), self.query_one(Table)) if w.display), None)

    def _choose(self, kind: type[Static] | type[Tiles] | type[Table]) -> None:
        for child in self.children:
            child.display = isinstance(child, kind)

    def show_progress(self, what: str, done: int, total: int) -> None:
        self.query_one(Static).update(Content(clean(f"{progress_line(what, done, total)} ...")))

    def _failed(self, error: Exception) -> None:
        self.say(f"✗ {error_in_app(error)}")

    def _fill(self, subject: Subject, focus: bool) -> None:
        positions = self.positions
        if not len(positions):
            self.say("no samples here")
        elif subject.samples.kind.shown == "picture":
            self._choose(Tiles)
            self.query_one(Tiles).show(
                len(positions),
                lambda place: subject.samples.picture(int(positions[place])),
                lambda place, width: caption(subject, int(positions[place]), width),
            )
        else:
            self._choose(Table)
            table = self.query_one(Table)
            table.cursor = 0
            table.show(
                columns_of(subject),
                len(positions),
                lambda row: row_of(subject, int(positions[row])),
                frozen=1,
            )
            self._tell(0, counted(len(positions), "sample"))
        if focus and self.active is not None:
            self.active.focus()

    @on(Tiles.Highlighted)
    def _tile_highlighted(self, event: Tiles.Highlighted) -> None:
        event.stop()
        of = f"{count(event.first + 1)}–{count(event.last + 1)} of {count(len(self.positions))}"
        self._tell(event.place, of)

    @on(Table.Highlighted)
    def _row_highlighted(self, event: Table.Highlighted) -> None:
        event.stop()
        self._tell(event.row, f"{count(event.row + 1)} of {count(len(self.positions))}")

    def _tell(self, place: int, text: str) -> None:
        if place < len(self.positions):
            self.post_message(self.Highlighted(self, int(self.positions[place]), text))

    @on(Tiles.Chosen)
    def _tile_chosen(self, event: Tiles.Chosen) -> None:
        event.stop()
        self._enlarge(event.place)

    @on(Table.Chosen)
    def _row_chosen(self, event: Table.Chosen) -> None:
        event.stop()
        self._enlarge(event.row)

    def _enlarge(self, place: int) -> None:
        if self.subject is not None:
            self.app.push_screen(SampleDialog(self.subject, self.positions, place), self._come_back)

    def _come_back(self, place: int | None) -> None:
        if self.active is not None and place is not None:
            self.active.cursor = place
