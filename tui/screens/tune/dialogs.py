"""Dialogs of Tune: which study to open, how many trials or seeds, which values trials have."""

from collections.abc import Callable
from typing import Any, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input, OptionList, SelectionList, Static
from textual.widgets.selection_list import Selection

from tui.screens.dialog import Dialog
from tui.terminal.text import clean

__all__ = ["AskNumber", "ChooseStudies", "OpenStudy", "SelectTrials", "TryValues"]


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
        with Vertical(classes="dialog -study") as body:
            body.border_title = "Open a study"
            if not self.studies:
                yield Static("There are no studies yet.")
            if self.studies:
                yield OptionList(*(Text(clean(name)) for name in self.studies), compact=True)
            with Horizontal(classes="answers"):
                yield Button("Cancel", compact=True, action="screen.dismiss")

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(list(self.studies.values())[event.option_index])


class ChooseStudies(Dialog[list[str]]):
    """The other studies, newest first, any number of which are chosen; returns their paths, or None after Escape.

    Args:
        studies: name -> path.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Cancel")]

    def __init__(self, studies: dict[str, str]) -> None:
        super().__init__()
        self.studies = studies

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -study") as body:
            body.border_title = "Studies to show beside this one"
            yield SelectionList(
                *(Selection(Text(clean(name)), path) for name, path in self.studies.items()), compact=True
            )
            with Horizontal(classes="answers"):
                yield Button("Show", id="answer", compact=True, variant="primary")
                yield Button("Cancel", compact=True, action="screen.dismiss")

    @on(Button.Pressed, "#answer")
    def _submit(self) -> None:
        self.dismiss(self.query_one(SelectionList).selected)


class AskNumber(Dialog[int]):
    """Dialog for a whole number; None after Escape.

    Args:
        question: what it counts. answer: the button that gives it.
        usual: the number at the start. least: the smallest that is taken.
        note: one line about what follows.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Cancel")]

    def __init__(self, question: str, answer: str, *, usual: int, least: int, note: str = "") -> None:
        super().__init__()
        self.question, self.answer, self.note = question, answer, note
        self.usual, self.least = usual, least

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -trials"):
            yield Static(self.question, classes="question", markup=False)
            yield Input(str(self.usual), compact=True, type="integer", max_length=6)
            yield Static(self.note, id="trials-problem", markup=False)
            with Horizontal(classes="answers"):
                yield Button(self.answer, id="answer", compact=True, variant="primary")
                yield Button("Cancel", id="cancel", compact=True, action="screen.dismiss")

    @on(Input.Submitted)
    @on(Button.Pressed, "#answer")
    def _submit(self) -> None:
        text = self.query_one(Input).value
        if text.isdecimal() and int(text) >= self.least:
            self.dismiss(int(text))
        else:
            self.query_one("#trials-problem", Static).update(_wrong(f"enter a number ≥ {self.least}"))


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
            self.query_one("#trials-problem", Static).update(_wrong(found))
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


def _wrong(problem: str) -> Content:
    return Content.styled(f"✗ {clean(problem)}", "$text-error")
