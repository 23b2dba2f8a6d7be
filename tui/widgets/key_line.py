"""The footer: the keys of a screen, none of them truncated."""

from collections.abc import Iterable

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import Footer, Input

from tui.terminal.textual_private import bindings_are_ready, footer_key_class, forget_removed_watchers

__all__ = ["KeyLine"]

NARROW = 110
"""Width in cells below which it is compact."""
FooterKey = footer_key_class()
HELP, PALETTE = ("app.help", "app.keys"), "-command-palette"
PALETTE_WIDTH = 15
"""Cells of the key of the command palette, with the line before it."""


class KeyLine(Footer):
    """Keys in order, as many as fit; the last one opens the help, which lists them all."""

    _shown: object = None
    """What the keys that are there were made from."""

    async def recompose(self) -> None:
        """Make the keys anew, unless they would be the same: moving through a form announces them with every field."""
        if not self.children or self._shown != self._what_is_shown():
            await super().recompose()

    def _what_is_shown(self) -> object:
        active = self.screen.active_bindings.values()
        keys = [(each.binding, each.enabled, each.tooltip) for each in active]
        return keys, isinstance(self.screen.focused, Input)

    def compose(self) -> ComposeResult:
        forget_removed_watchers(self)
        self._shown = self._what_is_shown()
        if not bindings_are_ready(self):
            return
        keys = list(super().compose())
        palette = [key for key in keys if key.has_class(PALETTE)]
        everything = [*self._leave(), *(key for key in keys if key not in palette), *self._help(), *palette]
        self._fit(everything, self.screen.size.width)
        yield from everything

    def fit(self, width: int) -> None:
        """Show the keys that fit in so many cells; a narrow line is compact and omits the command palette."""
        self.compact = width < NARROW
        self._fit(self.children, width)

    def _fit(self, keys: Iterable[Widget], width: int) -> None:
        room = width - (0 if self.compact else PALETTE_WIDTH)
        room -= sum(self._width(key) for key in keys if _opens_help(key))
        for key in keys:
            if key.has_class(PALETTE):
                key.display = not self.compact
            elif not _opens_help(key):
                key.display = self._width(key) <= room
                room -= self._width(key) if key.display else 0

    def _help(self) -> list[Widget]:
        """Return the help key that works now: in a field, ``?`` is a letter."""
        found = (active for active in self.screen.active_bindings.values() if active.binding.action in HELP)
        active = next(found, None)
        if active is None:
            return []
        binding, display = active.binding, self.app.get_key_display(active.binding)
        key = FooterKey(binding.key, display, binding.description, binding.action, tooltip=active.tooltip)
        return [key.data_bind(compact=Footer.compact)]

    def _leave(self) -> list[Widget]:
        """Return the key that leaves a field, so that letters are keys of the screen again."""
        active = self.screen.active_bindings.get("escape")
        if active is None or active.binding.show or not isinstance(self.screen.focused, Input):
            return []
        key = FooterKey("escape", "esc", "leave", active.binding.action, tooltip=active.tooltip)
        return [key.data_bind(compact=Footer.compact)]

    def _width(self, key: Widget) -> int:
        """Cells that a key takes with the space around it."""
        if not isinstance(key, FooterKey):
            return 0
        return cell_len(key.key_display) + cell_len(key.description) + (2 if self.compact else 3)


def _opens_help(key: Widget) -> bool:
    return isinstance(key, FooterKey) and key.action in HELP
