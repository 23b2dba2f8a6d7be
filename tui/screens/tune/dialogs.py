"""Dialogs of Tune: which study to open, how many trials to add, how many seeds confirm it, which values
trials have."""

from collections.abc import Callable
from typing import Any, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Input, OptionList, Static

from tui.screens.dialog import Dialog
from tui.terminal.text import clean

__all__ = ["AddTrials", "Confirm", "OpenStudy", "SelectTrials", "TryValues"]


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


class Confirm(Dialog[int]):
    """Dialog for the number of seeds with which the best trials are trained again; None after Escape."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Cancel")]

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -trials"):
            yield Static("Train the best trials again, with how many other seeds each?", classes="question")
            yield Input("3", compact=True, type="integer", max_length=3)
            yield Static("The best mean wins, and is evaluated on the test split.", id="trials-problem")
            with Horizontal(classes="answers"):
                yield Button("Confirm", id="confirm", compact=True, variant="primary")
                yield Button("Cancel", id="cancel", compact=True, action="screen.dismiss")

    @on(Input.Submitted)
    @on(Button.Pressed, "#confirm")
    def _submit(self) -> None:
        text = self.query_one(Input).value
        if text.isdecimal() and int(text) > 1:
            self.dismiss(int(text))
        else:
            self.query_one("#trials-problem", Static).update("✗ enter a number ≥ 2")


class WriteValues(Dialog[dict[str, Any]]):
    """Base of dialogs for one text about parameters of trials; Escape changes nothing.

    Args:
        check: gives what a text means by path, or what is wrong with it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Cancel")]
    QUESTION: ClassVar[str]
    ANSWER: ClassVar[str]

    def __init__(self, check: Callable[[str], dict[str, Any] | str]) -> None:
        super().__init__()
        self.check = check

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -trials"):
            yield Static(self.QUESTION, classes="question", markup=False)
            yield Input("", compact=True)
            yield Static("", id="trials-problem", markup=False)
            with Horizontal(classes="answers"):
                yield Button(self.ANSWER, id="answer", compact=True, variant="primary")
                yield Button("Cancel", id="cancel", compact=True, action="screen.dismiss")

    @on(Input.Submitted)
    @on(Button.Pressed, "#answer")
    def _submit(self) -> None:
        found = self.check(self.query_one(Input).value)
        if isinstance(found, str):
            self.query_one("#trials-problem", Static).update(f"✗ {clean(found)}")
        else:
            self.dismiss(found)


class SelectTrials(WriteValues):
    """Dialog for ranges of trials; an empty text selects all."""

    QUESTION = "Select trials, such as lr=0.01..0.1 hidden=64,128"
    ANSWER = "Select"


class TryValues(WriteValues):
    """Dialog for the values of a trial that is added by hand."""

    QUESTION = "Try a trial with values such as lr=0.01,model.hidden=[64,32]; others are drawn"
    ANSWER = "Add"
