"""The footer: the keys of a screen, none of them cut."""

from collections.abc import Iterable

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import Footer, Input
from textual.widgets._footer import FooterKey

__all__ = ["KeyLine"]

HELP = "app.help"
PALETTE_WIDTH = 15
"""Cells of the key of the command palette, with the line before it."""


class KeyLine(Footer):
    """Keys in order, as many as have room; the last one opens the help, which lists them all."""

    def compose(self) -> ComposeResult:
        if self._bindings_ready:
            yield from self._fitting(super().compose())

    def _fitting(self, keys: Iterable[Widget]) -> Iterable[Widget]:
        helping, leaving = self._help(), self._leave()
        room = self.screen.size.width - self._width(helping)
        if self.show_command_palette:
            room -= PALETTE_WIDTH
        palette = []
        for key in (*leaving, *keys):
            if key.has_class("-command-palette"):
                palette.append(key)
            elif self._width(key) <= room:
                room -= self._width(key)
                yield key
        yield from (helping, *palette) if helping else palette

    def _help(self) -> FooterKey | None:
        """The key of the help that works now: in a field ``?`` is a letter."""
        found = (active for active in self.screen.active_bindings.values() if active.binding.action == HELP)
        active = next(found, None)
        if active is None:
            return None
        binding, display = active.binding, self.app.get_key_display(active.binding)
        key = FooterKey(binding.key, display, binding.description, HELP, tooltip=active.tooltip)
        return key.data_bind(compact=Footer.compact)

    def _leave(self) -> list[FooterKey]:
        """The key that gives the letters back to the screen, while a field takes them."""
        active = self.screen.active_bindings.get("escape")
        if active is None or active.binding.show or not isinstance(self.screen.focused, Input):
            return []
        key = FooterKey("escape", "esc", "leave", active.binding.action, tooltip=active.tooltip)
        return [key.data_bind(compact=Footer.compact)]

    def _width(self, key: Widget | None) -> int:
        """Cells that a key takes with the space around it."""
        if not isinstance(key, FooterKey):
            return 0
        return cell_len(key.key_display) + cell_len(key.description) + (2 if self.compact else 3)
