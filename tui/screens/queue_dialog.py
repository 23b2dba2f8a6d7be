"""The runs that wait for their turn, and their order."""

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Static

from tui.runtime.queue import Queue, moved_up, without
from tui.screens.dialog import Dialog
from tui.widgets.table import Column, Table

__all__ = ["QueueDialog"]

LOOK_SECONDS = 0.5
NOTHING = "No run waits. Start one in 2 Configure while another trains, and choose to queue it."


class QueueDialog(Dialog[None]):
    """Shows the queue, which may change meanwhile.

    Args:
        read: returns the queue.
        change: takes another one.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,Q", "dismiss", "Close"),
        Binding("u,shift+up", "move_up", "Move up"),
        Binding("x,delete", "remove", "Remove"),
    ]

    def __init__(self, read: Callable[[], Queue], change: Callable[[Queue], None]) -> None:
        super().__init__()
        self.read, self.change = read, change
        self._shown: Queue | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -queue") as body:
            body.border_title = "queue"
            body.border_subtitle = "u moves up  x removes  esc closes"
            yield Table(id="queue")
            yield Static(NOTHING, id="queue-empty")
            with Horizontal(classes="answers"):
                yield Button("Move up", id="move_up", compact=True)
                yield Button("Remove", id="remove", compact=True)
                yield Button("Close", id="close", compact=True)

    def on_mount(self) -> None:
        self._draw()
        self.set_interval(LOOK_SECONDS, self._draw)
        self.query_one(Table).focus()

    def _draw(self) -> None:
        queue = self.read()
        if queue == self._shown:
            return
        self._shown = queue
        columns = [Column("", 3), Column("starts next, in this order", 0, "<")]
        table = self.query_one(Table)
        table.show(columns, len(queue), lambda row: (str(row + 1), queue[row].name))
        table.display = bool(queue)
        self.query_one("#queue-empty").display = not queue

    @on(Button.Pressed)
    async def _pressed(self, event: Button.Pressed) -> None:
        await self.run_action("dismiss" if event.button.id == "close" else str(event.button.id))

    def action_move_up(self) -> None:
        """Move the run under the cursor before the one ahead of it."""
        queue, table = self.read(), self.query_one(Table)
        if queue and queue == self._shown:
            self.change(moved_up(queue, queue[table.cursor]))
            self._draw()
            table.action_move(-1)

    def action_remove(self) -> None:
        """Remove the run under the cursor."""
        queue, table = self.read(), self.query_one(Table)
        if queue and queue == self._shown:
            self.change(without(queue, queue[table.cursor]))
            self._draw()
