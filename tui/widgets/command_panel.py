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
    """The equivalent command; a click copies it.

    Args:
        hint: how it is copied.
    """

    class Clicked(Message):
        """The command is to be copied."""

    def __init__(self, hint: str = "y copies") -> None:
        super().__init__(Static(id="command"), id="command-panel")
        self.border_title, self.border_subtitle = "Equivalent command", hint

    def show(self, command: str) -> None:
        """Show a command; an empty text means none."""
        name = COMMAND if command.startswith(COMMAND) else " ".join(command.split(" ")[:2])
        text = Content.assemble((name, "bold"), clean(command[len(name) :])) if command else Content("–")
        self.query_one("#command", Static).update(text)

    @on(Click)
    def _clicked(self) -> None:
        self.post_message(self.Clicked())
