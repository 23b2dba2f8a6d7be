"""The line of the filter: its field, and beside it what is wrong with it, or examples."""

from collections.abc import Callable

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input, Static

from core.errors import InputError
from core.runs.query.language import Query, example, parse, whole_terms
from tui.forms.remedies import error_in_app
from tui.screens.runs.filter_field import FilterField
from tui.terminal.text import clean

__all__ = ["FilterLine"]

HINT = "status:running  accuracy>0.9  lr>=0.1  name:wide or tag:paper"


class FilterLine(Horizontal):
    """Takes in what is typed before the message of the field reaches the screen.

    Attributes:
        filter: what is typed; while a term is wrong or half a name, the terms before it.
        is_whole: whether it is all that is typed.

    Args:
        history: earlier filters, the latest first.
        any_match: whether a query finds any run.
    """

    def __init__(self, history: list[str], any_match: Callable[[Query], bool]) -> None:
        super().__init__(id="filter-line")
        self._history, self._any_match = history, any_match
        self.filter, self.is_whole = Query(()), True

    def compose(self) -> ComposeResult:
        yield Static("/", id="filter-sign")
        yield FilterField(self._history, id="filter")
        yield Static(HINT, id="filter-message", markup=False)

    @property
    def field(self) -> FilterField:
        """The field."""
        return self.query_one(FilterField)

    @property
    def is_in_use(self) -> bool:
        """Return whether there is something to leave or to clear."""
        return self.field.has_focus or bool(self.field.value)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        try:
            query = parse(event.value)
        except InputError as error:
            self._tell(error_in_app(error), is_error=True)
            self.filter, self.is_whole = whole_terms(event.value), False
            return
        self.is_whole = True
        unfinished = example(event.value)
        if unfinished and not self._any_match(parse(event.value.split()[-1].lstrip("("))):
            self._tell(f"Add a comparison, such as {unfinished}")
            self.filter = whole_terms(event.value)
        else:
            self._tell("" if query.terms else HINT)
            self.filter = query

    def _tell(self, text: str, is_error: bool = False) -> None:
        message = self.query_one("#filter-message", Static)
        message.update(Content.assemble(("✗ ", "$error"), (clean(text), "$foreground")) if is_error else text)
        message.tooltip = Content(clean(text)) if is_error else None

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        """Take the filter, if it is whole; a wrong one can be corrected."""
        if self.is_whole:
            self.filter = parse(event.value)
            self.field.settle()
