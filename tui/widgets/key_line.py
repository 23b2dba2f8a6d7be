"""The footer: the keys of a screen, none of them truncated."""

from collections.abc import Iterator
from dataclasses import dataclass

from rich.cells import cell_len
from textual.binding import ActiveBinding
from textual.content import Content
from textual.events import Leave, MouseDown, MouseMove
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input

__all__ = ["KeyLine", "ShownKey"]

NARROW = 110
"""Width in cells below which it is compact, and omits the command palette."""
HELP = ("app.help", "app.keys")
EDGE = "▏"


@dataclass(frozen=True)
class ShownKey:
    """A key as it is shown, and what it does."""

    key: str
    display: str
    description: str
    tooltip: str
    enabled: bool

    @property
    def text(self) -> str:
        """Return the key and what it does, as one reads it."""
        return f"{self.display} {self.description}"


class KeyLine(Widget):
    """Keys in order, as many as fit; the last one opens the help, which lists them all. A click presses a key.

    It is one widget, drawn anew where keys change: moving through a form announces them with every field.
    """

    ALLOW_SELECT = False
    DEFAULT_CSS = "KeyLine { dock: bottom; height: 1; background: $footer-background; pointer: pointer; }"

    keys: reactive[tuple[ShownKey, ...]] = reactive(())
    """Those that have their place before the others are left out for want of room."""
    last: reactive[tuple[ShownKey, ...]] = reactive(())
    """Those that are always shown: the help, then the command palette."""
    pointed: reactive[ShownKey | None] = reactive(None)
    """The key below the mouse."""

    _announced = False

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._announce)

    def on_unmount(self) -> None:
        self.screen.bindings_updated_signal.unsubscribe(self)

    def _announce(self, screen: Screen[object]) -> None:
        """Look at the keys once, after the frame that shows what the last one did."""
        if not self._announced:
            self._announced = self.call_after_refresh(self._look)

    def _look(self) -> None:
        self._announced = False
        if self.is_attached:
            self.keys, self.last = (*self._first_keys(),), (*self._last_keys(),)

    def _first_keys(self) -> Iterator[ShownKey]:
        """Yield the key that leaves a field, so that letters are keys of the screen again, then all others."""
        active = self.screen.active_bindings
        leave = active.get("escape")
        if leave is not None and not leave.binding.show and isinstance(self.screen.focused, Input):
            yield self._shown(leave, "escape", "esc", "leave")
        seen = set[str]()
        for each in active.values():
            if each.binding.show and each.binding.action not in seen:
                seen.add(each.binding.action)
                yield self._shown(each)

    def _last_keys(self) -> Iterator[ShownKey]:
        """Yield the help key that works now (in a field, ``?`` is a letter) and that of the palette."""
        active = self.screen.active_bindings
        helps = (each for each in active.values() if each.binding.action in HELP)
        palette = active.get(self.app.COMMAND_PALETTE_BINDING)
        for each in (next(helps, None), palette if self.app.ENABLE_COMMAND_PALETTE else None):
            if each is not None:
                yield self._shown(each)

    def _shown(
        self, active: ActiveBinding, key: str = "", display: str = "", description: str = ""
    ) -> ShownKey:
        binding = active.binding
        return ShownKey(
            key or binding.key,
            display or self.app.get_key_display(binding),
            description or binding.description,
            active.tooltip or binding.description,
            active.enabled,
        )

    @property
    def compact(self) -> bool:
        """Return whether there is less space between the keys."""
        return self.size.width < NARROW

    @property
    def shown(self) -> list[ShownKey]:
        """Return the keys for which there is room."""
        helps, palette = self.last[:1], [] if self.compact else self.last[1:]
        room = self.size.width - sum(map(self._cells, (*helps, *palette)))
        shown = []
        for key in self.keys:
            if self._cells(key) <= room:
                room -= self._cells(key)
                shown.append(key)
        return [*shown, *helps, *palette]

    def render(self) -> Content:
        shown, palette = self.shown, [] if self.compact else self.last[1:]
        parts: list[str | tuple[str, str]] = []
        room = self.size.width
        for key in shown:
            if key in palette:
                parts += [" " * (room - self._cells(key)), (EDGE, "$foreground 20%")]
            room -= self._cells(key)
            parts += self._parts(key)
        return Content.assemble(*parts)

    def _parts(self, key: ShownKey) -> Iterator[tuple[str, str]]:
        behind = " on $block-hover-background" if key == self.pointed else ""
        dim = "" if key.enabled else "dim "
        before = "" if self.compact else " "
        yield f"{before}{key.display} ", f"{dim}bold $footer-key-foreground{behind}"
        yield key.description, f"{dim}$footer-description-foreground{behind}"
        yield " ", "" if self.compact else f"$foreground{behind}"

    def _cells(self, key: ShownKey) -> int:
        """Return the cells that a key takes with the space around it."""
        return cell_len(key.text) + (1 if self.compact else 2) + (2 if key in self.last[1:] else 0)

    def key_at(self, x: int) -> ShownKey | None:
        """Return the key in a column of the line."""
        at = 0
        for key in self.shown:
            at = self.size.width - self._cells(key) if key in self.last[1:] else at
            if at <= x < at + self._cells(key):
                return key
            at += self._cells(key)
        return None

    def on_mouse_move(self, event: MouseMove) -> None:
        self.pointed = self.key_at(event.x)
        self.tooltip = self.pointed.tooltip if self.pointed is not None else None

    def on_leave(self, event: Leave) -> None:
        self.pointed = None

    def on_mouse_down(self, event: MouseDown) -> None:
        key = self.key_at(event.x)
        if key is None:
            return
        if key.enabled:
            self.app.simulate_key(key.key)
        else:
            self.app.bell()
