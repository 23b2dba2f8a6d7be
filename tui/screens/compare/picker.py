"""Dialog for choosing the runs to compare."""

from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Input, Static

from core.errors import InputError
from core.palette import MAX_RUNS
from core.runs.catalogue import Catalogue, Changes
from core.runs.comparison.groups import key_of
from core.runs.query.language import parse
from tui.forms.remedies import error_in_app
from tui.runtime.compared_runs import ComparedRuns, marks
from tui.screens.background import Background
from tui.screens.dialog import Dialog
from tui.terminal.text import clean
from tui.widgets.run_list import RunList
from tui.widgets.runs_table import RunsTable

__all__ = ["PickRuns"]


class PickRuns(Background, Dialog[None]):
    """All runs, newest first; Space marks, Enter or Escape closes. Marks apply at once.

    Args:
        runs_dir: folder of all runs.
        compared: the runs that are marked.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "done", "Done"),
        Binding("slash", "filter", "Filter", key_display="/"),
    ]

    def __init__(self, runs_dir: Path, compared: ComparedRuns) -> None:
        super().__init__()
        self.runs_dir, self.compared = runs_dir, compared
        self.runs = RunList()

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -runs") as body:
            body.border_title = "Runs to compare"
            yield Input(placeholder="/ filter, as in 1 Runs", compact=True, id="pick-filter")
            yield RunsTable(id="pick-table")
            yield Static("", id="pick-note", markup=False)
            with Horizontal(classes="answers"):
                yield Button("Done", compact=True, variant="primary", action="screen.done")

    def on_mount(self) -> None:
        self.table.empty = "looking for runs ..."
        self.table.focus()
        self.in_background("find", lambda progress: self._find(), self._found, self._failed)

    @property
    def table(self) -> RunsTable:
        """The table of runs."""
        return self.query_one(RunsTable)

    def _find(self) -> list[Changes]:
        return list(Catalogue(self.runs_dir).changes())

    def _found(self, batches: list[Changes]) -> None:
        for changes in batches:
            self.runs.apply(changes)
        self.table.empty = "no run matches" if self.runs.all else "there are no runs yet"
        self._show()

    def _failed(self, error: Exception) -> None:
        self._note(f"✗ {clean(error_in_app(error))}")

    def _show(self) -> None:
        self.table.show(self.runs)
        self.table.mark(marks(self.compared))
        self._note(f"{len({*self.compared.slots.values()})} of {MAX_RUNS}   space marks   enter closes")

    def _note(self, text: str) -> None:
        self.query_one("#pick-note", Static).update(text)

    @on(Input.Changed)
    def _filter(self, event: Input.Changed) -> None:
        try:
            self.runs.filter(parse(event.value))
        except InputError as error:
            self._note(f"✗ {clean(error_in_app(error))}")
        else:
            self._show()

    @on(Input.Submitted)
    def _filtered(self) -> None:
        self.table.focus()

    def action_filter(self) -> None:
        """Focus the filter."""
        self.query_one(Input).focus()

    @on(RunsTable.Marked)
    def _mark(self, event: RunsTable.Marked) -> None:
        there_was_room = self.compared.toggle(event.summary.run, key_of(event.summary.config))
        self._show()
        if not there_was_room:
            self._note(f"✗ At most {MAX_RUNS} runs fit in one chart: unmark one first")

    @on(RunsTable.HeadClicked)
    def _sort(self, event: RunsTable.HeadClicked) -> None:
        self.runs.sort(event.column, not self.runs.falling if event.column == self.runs.column else None)
        self._show()

    @on(RunsTable.Opened)
    def action_done(self) -> None:
        """Leave the filter, or else close."""
        if self.query_one(Input).has_focus:
            self.table.focus()
        else:
            self.dismiss()
