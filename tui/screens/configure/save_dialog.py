"""Dialog for saving a text as a file."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input, Static

from core.errors import TorchtuiError
from tui.forms.remedies import error_in_app
from tui.screens.base import tui_of
from tui.screens.dialog import Dialog
from tui.terminal.text import clean
from tui.widgets.path_suggester import PathSuggester

__all__ = ["SaveText"]


class SaveText(Dialog[None]):
    """Dialog for the path of a file. Replaces one that exists only when it is asked to a second time.

    Args:
        name: initial text of the path.
        write: called with the path; if it raises, the error is shown and the dialog stays open.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Close")]

    def __init__(self, title: str, name: str, write: Callable[[Path], None]) -> None:
        super().__init__()
        self.heading, self.file_name, self.write = title, name, write
        self._replaces = ""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -preset") as body:
            body.border_title = self.heading
            yield Input(self.file_name, compact=True, suggester=PathSuggester((".sh",)))
            yield Static("", id="problem")
            with Horizontal(classes="answers"):
                yield Button("Save", id="save", compact=True, variant="primary")
                yield Button("Cancel", id="cancel", compact=True)

    @on(Input.Changed)
    def _changed(self) -> None:
        self._replaces = ""
        self._tell("")

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "save":
            self._save()
        else:
            self.dismiss()

    @on(Input.Submitted)
    def _save(self) -> None:
        path = os.path.expanduser(self.query_one(Input).value.strip())
        if path and os.path.lexists(path) and self._replaces != path:
            self._replaces = path
            self._tell(f"▲ {path} already exists. Save again to replace it.")
            return
        try:
            self.write(Path(path))
        except TorchtuiError as error:
            self._tell(f"✗ {error_in_app(error)}")
        else:
            tui_of(self).tell(f"Saved: {Path(path).resolve()}")
            self.dismiss()

    def _tell(self, text: str) -> None:
        self.query_one("#problem", Static).update(Content(clean(text)))
