"""A choice from a list, in one row: a light version of Textual's Select that builds its list when opened."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Blur, Click, Key
from textual.message import Message
from textual.widget import Widget
from textual.widgets import OptionList

from tui.terminal.text import clean, fit

__all__ = ["Choice", "ChoiceList", "Several"]

CHOSEN = "✓ "
"""Before each choice of several that is made."""
BESIDE = 4
"""Cells that a list leaves free in a narrow window."""


class ChoiceList(OptionList):
    """The open list. Letters move to the choice that starts with what was typed, or else contains it.

    Args:
        lines: of the list.
        back: gets the focus when nothing is chosen.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", "Close the list", show=False)]

    typed = ""

    def __init__(self, lines: Iterable[str], back: Widget) -> None:
        # Text, not str: a str would be read as markup.
        super().__init__(*map(Text, lines), compact=True)
        self.back = back

    def on_mount(self) -> None:
        """Keep inside a window that is narrower than the styles allow it to be."""
        room, most = self.app.size.width - BESIDE, self.styles.max_width
        if most is not None and most.is_cells and most.value > room:
            self.styles.max_width = room

    def check_consume_key(self, key: str, character: str | None) -> bool:
        return character is not None and character.isprintable() and key != "space"

    def action_close(self) -> None:
        """Close without choosing."""
        if self.has_focus:
            self.screen.set_focus(self.back)

    @on(Key)
    def _typed(self, event: Key) -> None:
        if event.key == "backspace" and self.typed:
            self._find(self.typed[:-1])
        elif not self.check_consume_key(event.key, event.character):
            self.typed = self.border_subtitle = ""
            return
        else:
            letter = str(event.character).lower()
            self._find(self.typed + letter) or self._find(letter)
        event.stop()
        event.prevent_default()

    def _find(self, typed: str) -> bool:
        """Move to the first choice that starts with a text, or else contains it; return whether there is one."""
        labels = [str(option.prompt).strip(CHOSEN).lower() for option in self.options]
        start = (self.highlighted or 0) + (
            len(typed) == 1
        )  # one letter, also again: the next that starts with it
        places = [*range(start, len(labels)), *range(start)]
        found = [place for place in places if labels[place].startswith(typed)]
        found = found or [place for place in places if typed in labels[place]]
        if found:
            self.highlighted, self.typed, self.border_subtitle = found[0], typed, clean(typed)
        return bool(found)

    @on(Blur)
    def _left(self) -> None:
        self.remove()


class Choice(Widget, can_focus=True):
    """Shows what is chosen. Left and right step through the list, Enter, space or a click open it.

    Args:
        options: label and value of each choice.
        value: the chosen one; it is added to the list if it is not in it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "open", "Open the list", show=False),
        Binding("left", "step(-1)", "Previous choice", show=False),
        Binding("right", "step(1)", "Next choice", show=False),
    ]
    ALLOW_SELECT = False

    @dataclass
    class Changed(Message):
        """The choice has changed."""

        choice: "Choice"
        value: str

    def __init__(self, options: Iterable[tuple[str, str]], value: str, *, classes: str | None = None) -> None:
        super().__init__(classes=classes)
        self.value = value
        self.set_options(options)

    def set_options(self, options: Iterable[tuple[str, str]]) -> None:
        """Replace the list; keep the value."""
        self.labels = {value: label for label, value in options}
        self.put(self.value)

    def put(self, value: str) -> None:
        """Set the choice without posting a message."""
        self.value = value
        self.labels.setdefault(value, value)
        self.refresh()

    def choose(self, value: str) -> None:
        """Set the choice as a user does, posting a message."""
        if value != self.value:
            self.put(value)
            self.post_message(self.Changed(self, value))

    def render(self) -> Content:
        room = self.content_size.width - 2
        return Content.assemble(fit(self.labels[self.value], room), (" ▼", "$foreground 50%"))

    def action_step(self, by: int) -> None:
        """Choose the neighbour in the list."""
        values = list(self.labels)
        self.choose(values[(values.index(self.value) + by) % len(values)])

    def prompt(self, value: str) -> str:
        """Return the line of a choice in the open list."""
        return clean(self.labels[value])

    async def action_open(self) -> None:
        """Open the list."""
        opened = ChoiceList(map(self.prompt, self.labels), self)
        await self.mount(opened)
        opened.highlighted = next((at for at, value in enumerate(self.labels) if value == self.value), 0)
        opened.focus(scroll_visible=False)

    @on(Click)
    async def _clicked(self, event: Click) -> None:
        event.stop()
        if event.widget is self and not self.query(ChoiceList):
            await self.action_open()

    def pick(self, index: int, opened: OptionList) -> None:
        """Choose a line of the open list, which closes."""
        self.choose(list(self.labels)[index])
        self.focus()

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.pick(event.option_index, event.option_list)


class Several(Choice):
    """Shows the names that are chosen, of a list that stays open while they are chosen and left out again."""

    @property
    def names(self) -> list[str]:
        """The chosen names, in the order of the choice."""
        return [name for name in self.value.split(", ") if name]

    def put(self, value: str) -> None:
        self.value = value
        self.labels |= {name: name for name in self.names if name not in self.labels}
        self.refresh()

    def prompt(self, value: str) -> str:
        sign = CHOSEN if value in self.names else " " * len(CHOSEN)
        return sign + super().prompt(value)

    def render(self) -> Content:
        room = self.content_size.width - 2
        return Content.assemble(fit(clean(self.value) or "none", room), (" ▼", "$foreground 50%"))

    def action_step(self, by: int) -> None:
        """Change nothing: no choice is the neighbour of several."""

    async def action_open(self) -> None:
        if self.labels:
            await super().action_open()
        else:
            self.notify("There are none yet.")

    def pick(self, index: int, opened: OptionList) -> None:
        value, names = list(self.labels)[index], self.names
        kept = [name for name in names if name != value] if value in names else [*names, value]
        self.choose(", ".join(kept))
        opened.replace_option_prompt_at_index(index, Text(self.prompt(value)))
