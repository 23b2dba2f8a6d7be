"""Dialog that chooses the columns of the table of runs."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option

from core.errors import InputError
from core.runs.query.fields import names_like
from tui.forms.remedies import error_in_app
from tui.screens.dialog import Dialog
from tui.terminal.text import clean
from tui.widgets.runs_columns import COLUMNS, MORE, column_of

__all__ = ["ChooseColumns", "offered"]

MAX_OFFERED = 100


class ChooseColumns(Dialog[list[str]]):
    """All columns, the chosen ones first; returns the names of the chosen ones, an empty list for the usual ones.

    Args:
        chosen: names of the columns that are shown now, in their order.
    """

    AUTO_FOCUS = "OptionList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "done", "Done"),
        Binding("slash", "find", "Find", key_display="/"),
        Binding("space", "turn", "Show or hide"),
    ]

    def __init__(self, chosen: Sequence[str]) -> None:
        super().__init__()
        self.chosen = list(chosen)
        self.names: list[str] = []

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -columns") as body:
            body.border_title = "Columns of the table"
            yield Input(placeholder="/ find: a metric, or cfg. and a setting", compact=True, id="find-column")
            yield OptionList(compact=True, id="columns", markup=False)
            yield Static("", id="columns-note", markup=False)
            with Horizontal(classes="answers"):
                yield Button("Usual ones", id="usual", compact=True)
                yield Button("Done", id="done", compact=True, variant="primary")

    def on_mount(self) -> None:
        self._list("")

    def _list(self, text: str) -> None:
        """List the columns that a text leads to, the chosen ones first while there is none."""
        columns = self.query_one(OptionList)
        at = columns.highlighted or 0
        self.names = offered(self.chosen, text)
        columns.clear_options()
        columns.add_options(Option(self._line(name)) for name in self.names)
        columns.highlighted = min(at, len(self.names) - 1) if self.names else None
        self._note("space shows or hides   shown again it goes to the end")

    def _line(self, name: str) -> Content:
        sign = "✓" if name in self.chosen else " "
        return Content.assemble((f"{sign} ", "$accent"), clean(name))

    def _note(self, text: str) -> None:
        self.query_one("#columns-note", Static).update(text)

    @on(Input.Changed)
    def _find(self, event: Input.Changed) -> None:
        self._list(event.value.strip())

    @on(Input.Submitted)
    def _add(self, event: Input.Submitted) -> None:
        """Show the column of the name that was typed, or the first one that it leads to."""
        typed = event.value.strip()
        try:
            name = column_of(typed).name
        except InputError as error:
            if not self.names:
                self._note(f"✗ {clean(error_in_app(error))}")
                return
            name = self.names[0]
        self._toggle(name)
        event.input.value = ""
        self.query_one(OptionList).focus()

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self._toggle(self.names[event.option_index])

    def action_turn(self) -> None:
        """Show or hide the column under the cursor."""
        at = self.query_one(OptionList).highlighted
        if at is not None:
            self._toggle(self.names[at])

    def _toggle(self, name: str) -> None:
        if name in self.chosen:
            self.chosen.remove(name)
        else:
            self.chosen.append(name)
        self._list(self.query_one(Input).value.strip())

    def action_find(self) -> None:
        """Write in the field that finds columns."""
        self.query_one(Input).focus()

    def action_done(self) -> None:
        """Leave the field, or else close."""
        if self.query_one(Input).has_focus:
            self.query_one(OptionList).focus()
        else:
            self.dismiss(self.chosen)

    @on(Button.Pressed, "#done")
    def _done(self) -> None:
        self.dismiss(self.chosen)

    @on(Button.Pressed, "#usual")
    def _usual(self) -> None:
        self.dismiss([])


def offered(chosen: Sequence[str], text: str) -> list[str]:
    """Return the names of the columns to choose from: chosen ones, usual ones, and all that a text leads to."""
    if not text:
        return list(dict.fromkeys((*chosen, *COLUMNS, *MORE)))
    known = [name for name in dict.fromkeys((*chosen, *COLUMNS, *MORE)) if text.casefold() in name]
    return list(dict.fromkeys((*known, *names_like(text))))[:MAX_OFFERED]
