"""The dialog that saves a table as CSV, or copies it, the row with the cursor, or one value."""

import os
from pathlib import Path
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input, Label, OptionList, Static

from core.counting import counted
from core.errors import TorchtuiError
from core.files.atomic import as_usual, write_atomically
from core.remedies import OTHER_FILE
from tui.forms.remedies import error_in_app
from tui.screens.base import tui_of
from tui.screens.dialog import Dialog
from tui.terminal.table_text import TableText, as_csv, as_lines
from tui.terminal.text import clean, fit
from tui.widgets.path_suggester import PathSuggester

__all__ = ["TableDialog"]

MAX_NAME = 28
"""Cells of the name of a column in the list of values."""


class TableDialog(Dialog[None]):
    """Saves or copies a table; Enter on a value copies that one.

    Args:
        name: what the table shows, in a word; names the file.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Close")]

    def __init__(self, name: str, table: TableText) -> None:
        super().__init__()
        self.table_name, self.table = name, table
        self._replaces: str | None = None

    @property
    def row(self) -> list[str]:
        """The row with the cursor."""
        return [*self.table.rows[self.table.cursor]] if self.table.rows else []

    def compose(self) -> ComposeResult:
        width = min(MAX_NAME, max(map(cell_len, map(clean, self.table.head)), default=0))
        with Vertical(classes="dialog -table") as body:
            body.border_title = f"{self.table_name}  {counted(len(self.table.rows), 'row')}"
            body.border_subtitle = "enter copies a value  esc closes"
            values = zip(self.table.head, self.row, strict=False)
            yield OptionList(
                *(Text(f"{fit(title, width)}  {clean(cell)}", no_wrap=True) for title, cell in values),
                compact=True,
            )
            with Horizontal(classes="asked"):
                yield Label("CSV file")
                yield Input(f"{self.table_name}.csv", compact=True, suggester=PathSuggester((".csv",)))
            yield Static("", id="table-problem", markup=False)
            with Horizontal(classes="answers"):
                yield Button("Save as CSV", id="save", compact=True, variant="primary")
                yield Button("Copy table", id="copy-table", compact=True)
                yield Button("Copy row", id="copy-row", compact=True)
                yield Button("Close", id="close", compact=True)

    @on(OptionList.OptionSelected)
    def _value_chosen(self, event: OptionList.OptionSelected) -> None:
        self._copy(self.row[event.option_index].strip(), f"{self.table.head[event.option_index]}")

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self._save()

    @on(Input.Changed)
    def _path_changed(self) -> None:
        self._replaces = None
        self._tell("")

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "save":
            self._save()
        elif event.button.id == "copy-table":
            rows = [self.table.head, *self.table.rows]
            self._copy(as_lines(rows), counted(len(self.table.rows), "row"))
        elif event.button.id == "copy-row":
            self._copy(as_lines([self.row]), "the row")
        else:
            self.dismiss()

    def _copy(self, text: str, what: str) -> None:
        self.app.copy_to_clipboard(text)
        self.notify(clean(f"{what}: {text}" if len(text) < MAX_NAME else what), title="Copied", markup=False)
        self.dismiss()

    def _save(self) -> None:
        path = os.path.expanduser(self.query_one(Input).value.strip())
        if os.path.lexists(path) and path and self._replaces != path:
            self._replaces = path
            self._tell(f"▲ {path} already exists. Save again to replace it.")
            return
        try:
            content = as_csv(self.table).encode(errors="backslashreplace")
            write_atomically(Path(path), lambda file: file.write(content), instead=("give ", OTHER_FILE))
            as_usual(Path(path))
        except TorchtuiError as error:
            self._tell(f"✗ {error_in_app(error)}")
        else:
            tui_of(self).tell(f"Table saved: {Path(path).resolve()}")
            self.dismiss()

    def _tell(self, text: str) -> None:
        problem = self.query_one("#table-problem", Static)
        problem.update(Content(clean(text)))
        problem.display = bool(text)
