"""The machine in Live: what is in use, and by which processes; looked at while it is shown, with or without a run."""

import threading
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from tui.terminal.system_text import process_lines, system_lines, system_title
from tui.widgets.panel import Panel

if TYPE_CHECKING:
    from pathlib import Path

    from core.observers.machine_state import MachineState, MachineWatch

__all__ = ["SystemPanel"]

LOOK_SECONDS = 2.0
SOON_SECONDS = 0.4
"""After the first look, which has no per cent of CPU yet."""


class SystemPanel(Panel):
    """State of the machine and its processes.

    Args:
        folders: whose disks are shown.
    """

    class Looked(Message):
        """The machine was looked at."""

        def __init__(self, state: "MachineState") -> None:
            super().__init__()
            self.state = state

    def __init__(self, folders: "list[Path]", *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._folders = folders
        self._watch: MachineWatch | None = None
        self._is_looking = False
        self.state: MachineState | None = None

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="system-scroll"):
            yield Static("looking at the machine", id="system-text", markup=False)

    def on_mount(self) -> None:
        self.border_title = "system"
        self.set_interval(LOOK_SECONDS, self.look)

    def on_resize(self) -> None:
        if self.state is not None:
            self.show(self.state)

    def on_show(self) -> None:
        self.look()

    def look(self) -> None:
        """Look at the machine, off the thread of the screen, if it is shown."""
        if self.is_mounted and self.is_on_screen and not self._is_looking:
            self._is_looking = True
            threading.Thread(target=self._look, name="machine", daemon=True).start()

    def _look(self) -> None:
        from core.observers.machine_state import MachineWatch  # loads psutil

        try:
            self._watch = self._watch or MachineWatch(self._folders)
            self.post_message(self.Looked(self._watch.look()))
        finally:
            self._is_looking = False

    @on(Looked)
    def _show_look(self, event: Looked) -> None:
        event.stop()
        first = self.state is None
        self.show(event.state)
        if first:
            self.set_timer(SOON_SECONDS, self.look)

    def show(self, state: "MachineState") -> None:
        """Show a state."""
        self.state = state
        width = max(self.query_one("#system-text").content_size.width, 20)
        lines = [*system_lines(state, width), "", *process_lines(state.processes, width)]
        self.border_title = f"system  {system_title(state)}"
        self.query_one("#system-text", Static).update(Content("\n".join(lines)))
