"""Dialogs for saving a form as a YAML file and for opening one."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input, OptionList, Static

from core.errors import TorchtuiError
from tui.forms.remedies import error_in_app
from tui.runtime.settings import settings_file
from tui.screens.dialog import Dialog
from tui.screens.dialogs import Ask
from tui.terminal.text import clean

__all__ = ["OpenPreset", "SavePreset", "presets_folder"]

SUFFIXES = (".yaml", ".yml", ".json")


def presets_folder() -> Path:
    """Return the default folder of presets: beside the app's settings."""
    return settings_file().parent / "presets"


class _PresetDialog(Dialog[Path]):
    """A path, and the existing presets. Returns the path that `use` accepted, or None after Escape.

    Args:
        name: initial text of the path.
        use: called with the path; if it raises, the error is shown and the dialog stays open.
    """

    TITLE_TEXT: ClassVar[str] = ""
    VERB: ClassVar[str] = ""
    PLACEHOLDER: ClassVar[str] = "a name, or the path of a YAML file"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Cancel"),
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
    ]

    def __init__(self, name: str, use: Callable[[Path], None]) -> None:
        super().__init__()
        self.folder, self.file_name, self.use = presets_folder(), name, use

    def compose(self) -> ComposeResult:
        self.known = known = sorted(self.folder.glob("*.yaml"))
        with Vertical(classes="dialog -preset") as body:
            body.border_title = self.TITLE_TEXT
            yield Input(self.file_name, placeholder=self.PLACEHOLDER, compact=True)
            yield Static(Content(clean(f"in {self.folder}")), classes="hint", id="folder")
            if known:
                yield OptionList(*(Text(clean(path.stem)) for path in known), compact=True)
            yield Static("", id="problem")
            with Horizontal(classes="answers"):
                yield Button(self.VERB, id="use", compact=True, variant="primary")
                yield Button("Cancel", id="cancel", compact=True)

    def take(self, path: Path) -> None:
        """Use the path, or show why that fails."""
        try:
            self.use(path)
        except TorchtuiError as error:
            self.show_problem(error_in_app(error))
        else:
            self.dismiss(path)

    def show_problem(self, text: str) -> None:
        """Show why the path cannot be used; what was typed stays."""
        self.query_one("#problem", Static).update(Content.styled(clean(f"✗ {text}"), "$text-error"))

    def submit(self) -> None:
        """Accept the path."""
        self.take(self.path())

    def path(self) -> Path:
        """Return the named file, in the folder of presets unless another folder is given."""
        path = Path(os.path.expanduser(self.query_one(Input).value.strip()) or "preset")
        if path.suffix not in SUFFIXES:
            path = path.parent / f"{path.name}.yaml"
        return path if len(path.parts) > 1 else self.folder / path

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.submit()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "use":
            self.submit()
        else:
            self.dismiss()


class OpenPreset(_PresetDialog):
    """Dialog for opening a preset; choosing one from the list opens it."""

    TITLE_TEXT = "Open a preset"
    VERB = "Open"

    def on_mount(self) -> None:
        if self.known:
            self.query_one(OptionList).focus()

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.take(self.known[event.option_index])


class SavePreset(_PresetDialog):
    """Dialog for saving a preset; choosing one from the list takes its name. Asks before replacing a file.

    A preset has a name, not a path: a folder in it is refused.
    """

    TITLE_TEXT = "Save the form as a preset"
    VERB = "Save"
    PLACEHOLDER = "a name"

    def submit(self) -> None:
        path = self.path()
        if path.parent != self.folder:
            self.show_problem(f"a preset is saved in {self.folder}: give a name without a folder")
            return
        if not os.path.exists(path):  # unlike Path.exists, it takes any text for a path
            self.take(path)
            return

        def answered(answer: str | None) -> None:
            if answer == "overwrite":
                self.take(path)

        question = f"{path.name} already exists."
        self.app.push_screen(Ask(question, {"overwrite": "Overwrite", "keep": "Keep it"}), answered)

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        field = self.query_one(Input)
        field.value = self.known[event.option_index].stem
        field.focus()
