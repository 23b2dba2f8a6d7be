"""Dialog for saving one of several texts as a file."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
from tui.widgets.choice import Choice
from tui.widgets.path_suggester import PathSuggester

__all__ = ["SaveText", "TextFile"]


@dataclass(frozen=True)
class TextFile:
    """A text, and what its file is called unless the user says otherwise."""

    name: str
    text: str


class SaveText(Dialog[None]):
    """Dialog for the path of a file. Replaces one that exists only when it is asked to a second time.

    Args:
        files: what can be saved, by what it is called; the first one is chosen.
        write: called with the path and the text; if it raises, the error is shown and the dialog stays open.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Close"),
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
    ]

    def __init__(self, files: Mapping[str, TextFile], write: Callable[[Path, str], None]) -> None:
        super().__init__()
        self.files, self.write = files, write
        self._what = next(iter(files))
        self._replaces = ""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -preset") as body:
            body.border_title = f"Save {self._what}"
            if len(self.files) > 1:
                yield Choice([(what, what) for what in self.files], self._what)
            yield Input(self.files[self._what].name, compact=True, suggester=PathSuggester((".sh",)))
            yield Static("", id="problem")
            with Horizontal(classes="answers"):
                yield Button("Save", id="save", compact=True, variant="primary")
                yield Button("Cancel", id="cancel", compact=True)

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    @on(Choice.Changed)
    def _chosen(self, event: Choice.Changed) -> None:
        """Save another one; a path that was typed stays."""
        field, before = self.query_one(Input), self.files[self._what]
        self._what = event.value
        self.query_one(".dialog").border_title = f"Save {self._what}"
        if field.value == before.name:
            field.value = self.files[self._what].name

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
            self.write(Path(path), self.files[self._what].text)
        except TorchtuiError as error:
            self._tell(f"✗ {error_in_app(error)}")
        else:
            tui_of(self).tell(f"Saved: {Path(path).resolve()}")
            self.dismiss()

    def _tell(self, text: str) -> None:
        self.query_one("#problem", Static).update(Content(clean(text)))
