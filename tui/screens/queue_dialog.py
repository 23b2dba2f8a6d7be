"""The runs that wait for their turn, in this app and in the queue of the user, and their order."""

from collections.abc import Callable
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Static

from core.errors import TorchtuiError
from tui.runtime.queue import Queue, Waiting, moved_down, moved_first, moved_up, without
from tui.runtime.user_queue import adding
from tui.runtime.user_queue.entries import ENDED, Entry, Lineup, Move
from tui.runtime.user_queue.store import read_lineup, worked_on_by
from tui.runtime.user_queue.texts import facts_of, standing_of
from tui.screens.dialog import Dialog
from tui.terminal.text import clean
from tui.widgets.table import Column, Table

__all__ = ["QueueDialog"]

LOOK_SECONDS = 0.5
MAX_FACTS = 36
"""Cells of where a run is, and for how long."""
NOTHING = (
    "No run waits. Start one in 2 Configure while another trains, and choose to queue it; or let it run in the queue, "
    "which goes on without this app."
)
OF_USER = ("stop", "pause")
"""What only the queue of the user can do: nothing of the app's has started."""
KEYS = "u up  d down  f first  x removes  s stops  p pauses  esc"
MOVES = {"up": moved_up, "down": moved_down, "first": moved_first}
Row = Waiting | Entry


class QueueDialog(Dialog[None]):
    """Shows what waits in this app, and the queue of the user, which may both change meanwhile.

    Args:
        read: returns the queue of the app.
        change: takes another one.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,Q", "dismiss", "Close"),
        Binding("u,shift+up", "move('up')", "Move up"),
        Binding("d,shift+down", "move('down')", "Move down"),
        Binding("f", "move('first')", "First"),
        Binding("x,delete", "remove", "Remove"),
        Binding("s", "stop", "Stop"),
        Binding("p", "pause", "Pause or resume"),
    ]

    def __init__(self, read: Callable[[], Queue], change: Callable[[Queue], None]) -> None:
        super().__init__()
        self.read, self.change = read, change
        self._lineup = Lineup()
        self._rows: list[Row] = []
        self._shown: list[tuple[str, str, str]] | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -queue") as body:
            body.border_title = "queue"
            yield Table(id="queue")
            yield Static(NOTHING, id="queue-empty")
            yield Static("", id="queue-standing", markup=False)
            with Horizontal(classes="answers"):
                yield Button("Up", id="up", compact=True)
                yield Button("Down", id="down", compact=True)
                yield Button("First", id="first", compact=True)
                yield Button("Remove", id="remove", compact=True)
                yield Button("Stop", id="stop", compact=True)
                yield Button("Pause", id="pause", compact=True)
                yield Button("Close", id="close", compact=True)

    def on_mount(self) -> None:
        self._draw()
        self.set_interval(LOOK_SECONDS, self._draw)
        self.query_one(Table).focus()

    def _draw(self) -> None:
        """Draw both queues, where they have changed."""
        problem = ""
        try:
            self._lineup = read_lineup()
        except TorchtuiError as error:
            self._lineup, problem = Lineup(), str(error)
        lineup = self._lineup
        self._rows = [*self.read(), *lineup.of("running"), *lineup.of("waiting"), *lineup.of(*ENDED)]
        shown = [self._cells(row) for row in self._rows]
        standing = standing_of(lineup, worked_on_by(), "p") if lineup.entries else ""
        self.query_one("#queue-standing", Static).update(clean(problem or standing))
        self.query_one("#queue-standing").display = bool(problem or standing)
        self.query_one("#pause", Button).label = "Resume" if self._stands() else "Pause"
        if shown == self._shown:
            return
        self._shown = shown
        facts = max((cell_len(row[1]) for row in shown), default=0)
        columns = [Column("", 4), Column("where", min(facts, MAX_FACTS), "<"), Column("run", 0, "<")]
        table = self.query_one(Table)
        table.show(columns, len(shown), lambda row: shown[row])
        table.display = bool(shown)
        self.query_one(".dialog").border_subtitle = KEYS if shown else "esc closes"
        self.query_one("#queue-empty").display = not shown
        for button in self.query(Button):
            of_user = bool(lineup.entries) or button.id not in OF_USER
            button.display = (bool(shown) and of_user) or button.id == "close"

    def _cells(self, row: Row) -> tuple[str, str, str]:
        """Return the place of a row, where it runs or how it ended, and its name."""
        if isinstance(row, Waiting):
            place = next(place for place, other in enumerate(self.read(), 1) if other is row)
            return f"{place}.", "in this app", row.name
        place = adding.place_of(self._lineup, row)
        first = f"{place}." if place else "now" if row.state == "running" else ""
        return first, facts_of(row) or "in the queue", row.title

    def _stands(self) -> bool:
        """Return whether nothing of the user's queue is started, though something waits."""
        return self._lineup.paused or bool(self._lineup.of("waiting") and not worked_on_by())

    @on(Button.Pressed)
    async def _pressed(self, event: Button.Pressed) -> None:
        name = str(event.button.id)
        await self.run_action("dismiss" if name == "close" else f"move('{name}')" if name in MOVES else name)

    def action_move(self, where: Move) -> None:
        """Move the run under the cursor: up, down, or before all others of its queue."""
        row, table = self._chosen(), self.query_one(Table)
        if isinstance(row, Waiting):
            self.change(MOVES[where](self.read(), row))
        elif row is not None:
            number = row.id
            self._do(lambda: adding.move(number, where))
        self._draw()
        same = [place for place, other in enumerate(self._rows) if _is_same(other, row)]
        if same:
            table.action_move(same[0] - table.cursor)

    def action_remove(self) -> None:
        """Remove the run under the cursor."""
        row = self._chosen()
        if isinstance(row, Waiting):
            self.change(without(self.read(), row))
        elif row is not None:
            number = row.id
            self._do(lambda: adding.remove(number))
        self._draw()

    def action_stop(self) -> None:
        """Ask the run under the cursor, which the user's queue has started, to save and stop."""
        row = self._chosen()
        if isinstance(row, Entry):
            number = row.id
            self._do(lambda: adding.stop(number))
        elif row is not None:
            self.notify("This run has not started: x removes it.", severity="warning")
        self._draw()

    def action_pause(self) -> None:
        """Start nothing more of the user's queue, or go on."""
        self._do(adding.resume if self._stands() else adding.pause)
        self._draw()

    def _chosen(self) -> Row | None:
        table = self.query_one(Table)
        return self._rows[table.cursor] if 0 <= table.cursor < len(self._rows) else None

    def _do(self, act: Callable[[], object]) -> None:
        try:
            act()
        except TorchtuiError as error:
            self.notify(str(error), severity="warning", markup=False)


def _is_same(one: Row, other: Row | None) -> bool:
    if isinstance(one, Entry):
        return isinstance(other, Entry) and one.id == other.id
    return one is other
