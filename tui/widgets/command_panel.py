"""The command equivalent to a form."""

from textual import on
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.widgets import Static

from tui.terminal.text import clean
from tui.widgets.panel import Panel

__all__ = ["CommandPanel"]

COMMAND = "tui train --no-ui"


class CommandPanel(Panel):
    """The equivalent command; a click copies it."""

    class Clicked(Message):
        """The command is to be copied."""

    def __init__(self) -> None:
        super().__init__(Static(id="command"), id="command-panel")
        self.border_title, self.border_subtitle = "Equivalent command", "y copies"

    def show(self, command: str) -> None:
        """Show a command; an empty text means none."""
        head, rest = command[: len(COMMAND)], command[len(COMMAND) :]
        text = Content.assemble((head, "bold"), clean(rest)) if command else Content("–")
        self.query_one("#command", Static).update(text)

    @on(Click)
    def _clicked(self) -> None:
        self.post_message(self.Clicked())
