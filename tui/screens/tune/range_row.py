"""One searched field per row: its path, its range, and a description of the range or its error."""

from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.events import Click, DescendantBlur, DescendantFocus
from textual.message import Message
from textual.widgets import Input, Static

from tui.forms.form_fields import FieldSpec
from tui.terminal.text import clean

__all__ = ["RangeRow"]


class RemoveSign(Static):
    """A click on it removes the row."""

    ALLOW_SELECT = False

    @dataclass
    class Clicked(Message):
        """It was clicked."""

    @on(Click)
    def _clicked(self, event: Click) -> None:
        event.stop()
        self.post_message(self.Clicked())


class RangeRow(Horizontal):
    """A row of the search space.

    Args:
        spec: the field. text: its range, as after ``-p PATH=``.
    """

    @dataclass
    class Changed(Message):
        """The range of the row has changed."""

        row: "RangeRow"

    @dataclass
    class Removed(Message):
        """The field is to be removed from the search."""

        row: "RangeRow"

    def __init__(self, spec: FieldSpec, text: str) -> None:
        super().__init__()
        self.spec, self.text = spec, text
        self.problem = ""
        self.editor = Input(text, compact=True, classes="editor")
        self.hint = Static("", classes="range-hint", markup=False)

    def compose(self) -> ComposeResult:
        yield Static(Content(f"  {clean(self.spec.path)}"), classes="range-path")
        yield self.editor
        yield self.hint
        yield RemoveSign("×", classes="range-remove")

    def on_mount(self) -> None:
        self.query_one(RemoveSign).tooltip = "Remove this field from the search"

    def show(self, problem: str, hint: str) -> None:
        """Show the error of the range, or else a description of it."""
        self.problem = problem
        self.set_class(bool(problem), "-wrong")
        text = Content.styled(clean(f"✗ {problem}"), "$text-error") if problem else Content(clean(hint))
        self.hint.update(text, layout=False)

    @on(Input.Changed)
    def _edited(self, event: Input.Changed) -> None:
        event.stop()
        if event.value != self.text:
            self.text = event.value
            self.post_message(self.Changed(self))

    @on(RemoveSign.Clicked)
    def _remove(self) -> None:
        self.post_message(self.Removed(self))

    @on(DescendantFocus)
    @on(DescendantBlur)
    def _focus_moved(self) -> None:
        focused = self.editor.has_focus
        path = ("▸ " if focused else "  ") + clean(self.spec.path)
        style = "bold $accent" if focused else "$foreground"
        self.query_one(".range-path", Static).update(Content.styled(path, style), layout=False)
