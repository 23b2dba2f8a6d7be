"""Dialogs of Tune: which study to open, and how many trials to add."""

from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Input, OptionList, Static

from tui.screens.dialog import Dialog
from tui.terminal.text import clean

__all__ = ["AddTrials", "OpenStudy"]


class OpenStudy(Dialog[str]):
    """The existing studies, newest first; returns the path of the chosen one, or None after Escape.

    Args:
        studies: name -> path.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Cancel")]

    def __init__(self, studies: dict[str, str]) -> None:
        super().__init__()
        self.studies = studies

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -study"):
            yield Static("Open a study" if self.studies else "There are no studies yet.", classes="question")
            if self.studies:
                yield OptionList(*(Text(clean(name)) for name in self.studies), compact=True)
            with Horizontal(classes="answers"):
                yield Button("Cancel", compact=True, action="screen.dismiss")

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(list(self.studies.values())[event.option_index])


class AddTrials(Dialog[int]):
    """Dialog for the number of trials to add to a study; None after Escape."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Cancel")]

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -trials"):
            yield Static("How many more trials?", classes="question")
            yield Input("10", compact=True, type="integer", max_length=6)
            yield Static("", id="trials-problem")
            with Horizontal(classes="answers"):
                yield Button("Resume", id="more", compact=True, variant="primary")
                yield Button("Cancel", id="cancel", compact=True, action="screen.dismiss")

    @on(Input.Submitted)
    @on(Button.Pressed, "#more")
    def _submit(self) -> None:
        text = self.query_one(Input).value
        if text.isdecimal() and int(text) > 0:
            self.dismiss(int(text))
        else:
            self.query_one("#trials-problem", Static).update("✗ enter a number ≥ 1")
