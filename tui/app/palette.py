"""The command palette."""

from textual.await_complete import AwaitComplete
from textual.command import CommandPalette

__all__ = ["Palette"]


class Palette(CommandPalette):
    """The palette of commands, which closes once: each click of a double click beside it asks it to."""

    def dismiss(self, result: None = None) -> AwaitComplete:
        """Close the palette, if it is still open."""
        return super().dismiss(result) if self.is_active else AwaitComplete()
