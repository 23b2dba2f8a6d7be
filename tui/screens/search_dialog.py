"""Dialog that finds one of many things by words."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tui.screens.dialog import Dialog
from tui.terminal.text import clean

__all__ = ["SearchDialog", "containing"]


def containing(names: Sequence[str]) -> Callable[[str], list[int]]:
    """Return a search for the places of names that contain all words, those first that begin with what is typed."""
    lowered = [name.lower() for name in names]

    def find(typed: str) -> list[int]:
        words = typed.lower().split()
        found = [place for place, name in enumerate(lowered) if all(word in name for word in words)]
        return sorted(found, key=lambda place: not lowered[place].startswith(typed.lower().strip()))

    return find


class SearchDialog(Dialog[int]):
    """Things by what is typed, best match first. Returns the place of the chosen line, or None after Escape.

    Args:
        title: such as ``Find a field``.
        hint: what may be typed.
        lines: one for each thing.
        find: returns the places of the lines that match a text, all of them for an empty one.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Cancel"),
        Binding("down", "move(1)", "Next", show=False),
        Binding("up", "move(-1)", "Previous", show=False),
    ]

    def __init__(self, title: str, hint: str, lines: Sequence[str], find: Callable[[str], list[int]]) -> None:
        super().__init__()
        self.heading, self.hint, self.lines, self.find = title, hint, lines, find
        self.found: list[int] = []

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -search") as body:
            body.border_title = self.heading
            body.border_subtitle = "enter goes there  esc closes"
            yield Input(placeholder=self.hint, compact=True)
            yield OptionList(compact=True)

    def on_mount(self) -> None:
        self.query_one(OptionList).can_focus = False
        self._list("")

    def action_move(self, by: int) -> None:
        """Move the cursor in the list while the text keeps the focus."""
        found = self.query_one(OptionList)
        if found.highlighted is not None:
            found.highlighted = (found.highlighted + by) % found.option_count

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._list(event.value)

    def _list(self, typed: str) -> None:
        self.found = self.find(typed)
        found = self.query_one(OptionList)
        found.clear_options()
        found.add_options([Text(clean(self.lines[place])) for place in self.found])
        found.highlighted = 0 if self.found else None
        if not self.found:
            found.add_option(Option(Text("nothing has these words", style="dim"), disabled=True))

    @on(Input.Submitted)
    def _submitted(self) -> None:
        row = self.query_one(OptionList).highlighted
        if row is not None:
            self.dismiss(self.found[row])

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self.found[event.option_index])
