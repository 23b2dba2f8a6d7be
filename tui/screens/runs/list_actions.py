"""Rows of the list of runs: which are shown, in which order and with which columns."""

from textual import on
from textual.widgets import Input

from core.runs.query.language import Query
from tui.screens.runs.columns_dialog import ChooseColumns
from tui.screens.runs.filter_line import FilterLine
from tui.screens.runs.run_actions import RunActions
from tui.widgets.run_list import RunList
from tui.widgets.runs_table import RunsTable

__all__ = ["ListActions"]


class ListActions(RunActions):
    """Base of the screen that lists runs: the keys of the list itself."""

    def __init__(self) -> None:
        super().__init__()
        self.runs = RunList()

    @property
    def table(self) -> RunsTable:
        """The table of runs."""
        return self.query_one(RunsTable)

    def look(self) -> None:
        """Refresh all runs."""
        raise NotImplementedError

    def show_rows(self) -> None:
        """Show the list as it is now."""
        raise NotImplementedError

    @on(Input.Changed, "#filter")
    def _filter_changed(self) -> None:
        self._filter_by(self.query_one(FilterLine).filter)

    def _filter_by(self, query: Query) -> None:
        if query == self.runs.query:
            return
        self.runs.filter(query)
        self.show_rows()
        if self.runs.wanted:
            self.look()

    @on(Input.Submitted, "#filter")
    def _filter_done(self) -> None:
        line = self.query_one(FilterLine)
        if line.is_whole:
            self._filter_by(line.filter)
            self.table.focus()

    def action_filter(self) -> None:
        """Write in the filter."""
        self.query_one(FilterLine).field.focus()

    def action_leave_field(self) -> None:
        """Out of the filter; once out, clear it."""
        field = self.query_one(FilterLine).field
        if not field.has_focus:
            field.value = ""
            self.refresh_bindings()
        self.table.focus()

    def action_columns(self) -> None:
        """Choose the columns of the table, which are remembered."""
        shown = [column.name for column in self.runs.chosen] or self.table.columns
        self.app.push_screen(ChooseColumns(shown), self._choose_columns)

    def _choose_columns(self, names: list[str] | None) -> None:
        if names is None or names == self.table.columns:
            return
        self.tui.settings.columns = names
        self.runs.choose(names)
        self.show_rows()

    def action_sort(self) -> None:
        """Sort by the next of the columns in sight."""
        columns = self.table.columns or [self.runs.column]
        place = columns.index(self.runs.column) if self.runs.column in columns else -1
        self._sort(columns[(place + 1) % len(columns)])

    def action_turn_order(self) -> None:
        """The same column the other way round."""
        self._sort(self.runs.column, not self.runs.falling)

    @on(RunsTable.HeadClicked)
    def _head_clicked(self, event: RunsTable.HeadClicked) -> None:
        self._sort(event.column, not self.runs.falling if event.column == self.runs.column else None)

    def _sort(self, column: str, falling: bool | None = None) -> None:
        self.runs.sort(column, falling)
        self.show_rows()
        self.table.action_jump(0)
