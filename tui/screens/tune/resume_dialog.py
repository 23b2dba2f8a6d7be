"""The dialog that resumes a study with other limits, ranges and prior knowledge."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Input, Static

from core.tuning.search.changes import StudyChanges
from core.tuning.search.plan import Plan
from tui.forms.search_changes import read_changes
from tui.forms.search_settings import CHANGES
from tui.screens.dialog import Dialog
from tui.widgets.field import Field

__all__ = ["ResumeDialog", "Resumed"]


@dataclass(frozen=True)
class Resumed:
    """How a study is to be resumed; `seconds` is its time limit, None for none."""

    changes: StudyChanges
    seconds: float | None


class ResumeDialog(Dialog[Resumed]):
    """One field for each thing that can be changed; None after Escape.

    Args:
        plan: of the study. runs, studies: the names that can be chosen.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Cancel"),
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
    ]

    def __init__(self, plan: Plan, runs: Sequence[str], studies: Sequence[str]) -> None:
        super().__init__()
        self.plan, self.names = plan, {"start_with": runs, "learn_from": studies}

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -resume") as body:
            body.border_title = "Resume the study"
            yield Static("An empty field changes nothing.", classes="question")
            for spec in CHANGES:
                yield Field(spec, "")
            with Horizontal(classes="answers"):
                yield Button("Resume", id="answer", compact=True, variant="primary")
                yield Button("Cancel", id="cancel", compact=True, action="screen.dismiss")

    def on_mount(self) -> None:
        for field in self.query(Field):
            if field.spec.path in self.names:
                field.set_choices((name, name) for name in self.names[field.spec.path])

    @on(Input.Submitted)
    @on(Button.Pressed, "#answer")
    def _submit(self) -> None:
        problems: dict[str, str] = {}
        texts = {field.spec.path: field.text for field in self.query(Field)}
        changes, seconds = read_changes(self.plan, texts, problems)
        for field in self.query(Field):
            field.set_problem(problems.get(field.spec.path, ""))
        if not problems:
            self.dismiss(Resumed(changes, seconds))
