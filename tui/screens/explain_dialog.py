"""Dialog that answers what a field or a metric is."""

from collections.abc import Mapping
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tui.forms.guide.explain import Explanation
from tui.screens.dialog import Dialog
from tui.terminal.text import clean

__all__ = ["ExplainDialog"]


class ExplainDialog(Dialog[bool]):
    """An explanation. Returns whether the keys of the screen are asked for instead."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "dismiss(False)", "Close"),
        Binding("question_mark,f1", "dismiss(True)", "Keys of the screen"),
    ]

    def __init__(self, explanation: Explanation) -> None:
        super().__init__()
        self.explanation = explanation

    def compose(self) -> ComposeResult:
        what = self.explanation
        with VerticalScroll(classes="dialog -help -explain") as body:
            body.border_title = Content(clean(what.title))
            body.border_subtitle = "? keys of the screen  esc closes"
            if what.about:
                yield Static(clean(what.about), classes="purpose", markup=False)
            yield from _rows(what.facts)
            yield from _rows(what.choices)


def _rows(rows: Mapping[str, str]) -> ComposeResult:
    """Yield one line for each name and its text."""
    if rows:
        with Grid(classes="keys"):
            for name, text in rows.items():
                yield Static(Content.styled(clean(name), "bold"), classes="key")
                yield Static(clean(text), classes="meaning", markup=False)
