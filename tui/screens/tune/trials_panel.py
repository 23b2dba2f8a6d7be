"""The trials of a study in a table that sorts."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.message import Message

from core.counting import counted
from tui.screens.tune.trial_columns import TRIAL_STATES, TrialColumn, columns_of, in_order
from tui.widgets.panel import Panel
from tui.widgets.table import Cell, Column, Table

if TYPE_CHECKING:
    from core.tuning.study.records import TrialRecord
    from tui.runtime.study_follower import Standing

__all__ = ["TrialsPanel"]

METRIC = 2
"""Position of the metric column, which sorts initially, the best trial first."""


class TrialsPanel(Panel):
    """Number, state, metric, parameters. The cursor stays on its trial."""

    @dataclass
    class Highlighted(Message):
        """The cursor moved to another trial."""

        record: "TrialRecord"

    @dataclass
    class Chosen(Message):
        """A trial is to be opened."""

        record: "TrialRecord"

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.rows: list[TrialRecord] = []
        self._columns: list[TrialColumn] = []
        self._standing: Standing | None = None
        self._sorted_by: tuple[int, bool | None] = (METRIC, None)
        self._trial: int | None = None

    def compose(self) -> ComposeResult:
        yield Table(id="trials")

    @property
    def table(self) -> Table:
        return self.query_one(Table)

    @property
    def selected(self) -> "TrialRecord | None":
        """The trial under the cursor."""
        return self.rows[self.table.cursor] if self.rows else None

    def start(self) -> None:
        """Show another study, with the cursor on its best trial."""
        self._trial, self._sorted_by = None, (METRIC, None)

    def show(self, standing: "Standing") -> None:
        """Show the state of a study."""
        self._standing = standing
        self._columns = columns_of(standing)
        place, falling = self._sorted_by
        column = self._columns[min(place, len(self._columns) - 1)]
        falling = column.falling if falling is None else falling
        self.rows = in_order(standing.records, column, falling)
        at = next((row for row, record in enumerate(self.rows) if record.number == self._trial), 0)
        self.table.show(self._titles(column, falling), len(self.rows), self._cells, frozen=METRIC + 1)
        self.table.cursor = at
        self._say(standing)

    def sort(self, place: int, falling: bool | None = None) -> None:
        """Sort by the column at a place, its best values first, or in the given direction."""
        self._sorted_by = (place % max(1, len(self._columns)), falling)
        if self._standing is not None:
            self.show(self._standing)

    def sort_by_next(self) -> None:
        """Sort by the column to the right of the current one."""
        self.sort(self._sorted_by[0] + 1)

    def turn_order(self) -> None:
        """Reverse the order."""
        place, falling = self._sorted_by
        before = self._columns[place].falling if falling is None else falling
        self.sort(place, not before)

    def _titles(self, sorting: TrialColumn, falling: bool) -> list[Column]:
        arrow = "▼" if falling else "▲"
        return [
            replace(column.column, title=column.column.title + arrow) if column is sorting else column.column
            for column in self._columns
        ]

    def _cells(self, row: int) -> list[Cell]:
        return [column.cell(self.rows[row]) for column in self._columns]

    def _say(self, standing: "Standing") -> None:
        self.border_title = f"trials  {len(standing.records)}"
        shown = ("running", "paused", "pruned", "diverged", "failed", "interrupted")
        counts = standing.counts
        standings = "  ".join(
            f"{TRIAL_STATES[state][0]} {counts[state]} {state}" for state in shown if counts[state]
        )
        record = self.selected
        self.border_subtitle = (
            f"trial {record.number}: {record.reason}"
            if record and record.reason
            else standings or _basis(standing)
        )

    @on(Table.Highlighted)
    def _highlighted(self, event: Table.Highlighted) -> None:
        event.stop()
        record = self.selected
        if record is not None and record.number != self._trial:
            self._trial = record.number
            if self._standing is not None:
                self._say(self._standing)
            self.post_message(self.Highlighted(record))

    @on(Table.Chosen)
    def _chosen(self, event: Table.Chosen) -> None:
        event.stop()
        if self.selected is not None:
            self.post_message(self.Chosen(self.selected))

    @on(Table.HeadClicked)
    def _head_clicked(self, event: Table.HeadClicked) -> None:
        event.stop()
        if event.column == self._sorted_by[0]:
            self.turn_order()
        else:
            self.sort(event.column)


def _basis(standing: "Standing") -> str:
    """On what the choice of the best trial rests, as far as a border has room."""
    chosen = standing.selection
    if chosen is None:
        return ""
    basis = f"★ best of {chosen.trials} on {counted(chosen.samples, 'sample')}"
    is_told = chosen.level or not chosen.unknown
    return f"{basis}  ≈ {len(chosen.level)} not clearly worse" if is_told else basis
