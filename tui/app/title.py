"""The title of the terminal's window while the app runs."""

from tui.terminal.textual_private import LenientApp, write_to_terminal
from tui.terminal.title import GIVE_BACK, KEEP, titled

__all__ = ["Titled"]


class Titled(LenientApp):
    """Mixin of the app."""

    def __init__(self) -> None:
        super().__init__()
        self._terminal_title = ""

    def set_terminal_title(self, text: str) -> None:
        """Set the title of the terminal's window; the old one is restored on exit."""
        if text != self._terminal_title:
            code = titled(text) if self._terminal_title else KEEP + titled(text)
            if write_to_terminal(self, code):
                self._terminal_title = text

    @property
    def has_terminal_title(self) -> bool:
        """Return whether the title of the window is the app's now."""
        return bool(self._terminal_title)

    def give_title_back(self) -> None:
        """Give the window the title back that it had."""
        if self._terminal_title:
            write_to_terminal(self, GIVE_BACK)
