"""Dialog that finds a field of the form."""

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, OptionList

from tui.forms.find import matching
from tui.forms.form_fields import FieldSpec
from tui.screens.dialog import Dialog
from tui.terminal.text import clean, fit

__all__ = ["FieldSearch"]

LABEL_CELLS, SECTION_CELLS = 20, 12


class FieldSearch(Dialog[str]):
    """Fields by what is typed, best match first. Returns the path of the chosen one, or None after Escape."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Cancel"),
        Binding("down", "move(1)", "Next field", show=False),
        Binding("up", "move(-1)", "Previous field", show=False),
    ]

    def __init__(self, specs: Sequence[FieldSpec]) -> None:
        super().__init__()
        self.specs = self.found = list(specs)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -search") as body:
            body.border_title = "Find a field"
            body.border_subtitle = "enter goes there  esc closes"
            yield Input(placeholder="name, section or a word of the description", compact=True)
            yield OptionList(compact=True)

    def on_mount(self) -> None:
        self.query_one(OptionList).can_focus = False
        self._list("")

    def action_move(self, by: int) -> None:
        """Move the cursor in the list while the text keeps the focus."""
        fields = self.query_one(OptionList)
        if fields.highlighted is not None:
            fields.highlighted = (fields.highlighted + by) % fields.option_count

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._list(event.value)

    def _list(self, words: str) -> None:
        self.found = matching(self.specs, words)
        fields = self.query_one(OptionList)
        fields.clear_options()
        fields.add_options([Text(_line(spec), no_wrap=True, overflow="ellipsis") for spec in self.found])
        fields.highlighted = 0 if self.found else None

    @on(Input.Submitted)
    def _submitted(self) -> None:
        place = self.query_one(OptionList).highlighted
        if place is not None:
            self.dismiss(self.found[place].path)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self.found[event.option_index].path)


def _line(spec: FieldSpec) -> str:
    section = spec.path.partition(".")[0] if "." in spec.path else ""
    return clean(f"{fit(section, SECTION_CELLS)}{fit(spec.label, LABEL_CELLS)}  {spec.about}")
