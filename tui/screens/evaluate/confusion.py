"""Confusion: the matrix with a cursor, the samples of a cell, the most confused pairs."""

from typing import ClassVar

import numpy as np
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget

from core.evaluation import samples_in_cell
from tui.screens.base import NARROW
from tui.screens.evaluate.cell_dialog import CellDialog
from tui.screens.evaluate.confused import ConfusedPairs
from tui.screens.evaluate.facts import label
from tui.screens.evaluate.find_class import find_class
from tui.screens.evaluate.sample_list import SampleList
from tui.screens.evaluate.tab import EvaluationTab, Subject
from tui.widgets.confusion import ConfusionGrid
from tui.widgets.confusion_matrix import Normalise
from tui.widgets.panel import Panel
from tui.widgets.table import Table

__all__ = ["ConfusionTab"]

TITLES = {"count": "samples", "row": "% of the true class", "column": "% of the predicted class"}


class ConfusionTab(EvaluationTab):
    """Enter opens the samples of a cell: beside the matrix, or over it on a narrow screen."""

    TITLE = "Confusion"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "find", "find class", key_display="/", tooltip="Find a class by its name"),
    ]

    def __init__(self, id: str = "confusion") -> None:
        super().__init__(id=id)

    def compose(self) -> ComposeResult:
        with Panel(id="grid-panel"):
            yield ConfusionGrid(id="grid")
        with Panel(id="cell-panel"):
            yield SampleList(id="cell")
        with Panel(id="pairs-panel"):
            yield self.make_list()

    def make_list(self) -> Table:
        """Return the list below the samples."""
        return ConfusedPairs(id="pairs")

    def main_widget(self) -> Widget | None:
        return self.query_one(ConfusionGrid)

    def draw(self, subject: Subject) -> None:
        grid = self.query_one(ConfusionGrid)
        grid.show(subject.confusion, subject.class_names)
        self.query_one(ConfusedPairs).show_pairs(subject)
        self.query_one("#pairs-panel", Panel).border_title = "most confused: true → predicted"
        self._show_cell(*grid.cursor)

    @on(ConfusionGrid.Moved)
    def _moved(self, event: ConfusionGrid.Moved) -> None:
        panel = self.query_one("#grid-panel", Panel)
        panel.border_title = f"true ↓ predicted →   {self.title_of(event.grid.normalise)}"
        panel.border_subtitle = event.grid.caption
        self._show_cell(event.true, event.predicted)

    def title_of(self, normalise: Normalise) -> str:
        """Describe the numbers of the grid."""
        weighted = self.subject is not None and self.subject.predictions.weights is not None
        return f"{TITLES[normalise]}{', without their weights' if weighted else ''}"

    def action_find(self) -> None:
        """Find a class by its name, and move to those of its samples that are right."""

        def found(number: int) -> None:
            grid = self.query_one(ConfusionGrid)
            grid.cursor = (number, number)
            grid.focus()

        find_class(self, found)

    @on(ConfusionGrid.Selected)
    def _selected(self, event: ConfusionGrid.Selected) -> None:
        self.open_cell(event.true, event.predicted)

    @on(Table.Chosen, "#pairs")
    def _pair_chosen(self, event: Table.Chosen) -> None:
        pair = self.query_one(ConfusedPairs).pairs[event.row]
        grid = self.query_one(ConfusionGrid)
        grid.cursor = (pair.true, pair.predicted)
        grid.focus()

    @on(SampleList.Highlighted)
    def _sample_highlighted(self, event: SampleList.Highlighted) -> None:
        self.query_one("#cell-panel", Panel).border_subtitle = event.text

    def open_cell(self, true: int, predicted: int) -> None:
        """Show the samples of class `true` that were predicted as `predicted`, and focus them."""
        if self.subject is None:
            return
        positions = self.behind(self.subject, true, predicted)
        if self.screen.size.width < NARROW:
            self.app.push_screen(
                CellDialog(self.subject, self.cell_title(self.subject, true, predicted), positions)
            )
        else:
            self.query_one("#cell", SampleList).show(self.subject, positions, focus=True)

    def _show_cell(self, true: int, predicted: int) -> None:
        """Follow the cursor once samples are loaded; until then show how to load them."""
        if self.subject is None:
            return
        panel, samples = self.query_one("#cell-panel", Panel), self.query_one("#cell", SampleList)
        panel.border_title = self.cell_title(self.subject, true, predicted)
        panel.border_subtitle = ""
        if self.subject.samples.loaded:
            samples.show(self.subject, self.behind(self.subject, true, predicted))
        else:
            samples.say("Enter shows the samples of the cell")

    def cell_title(self, subject: Subject, true: int, predicted: int) -> str:
        """Describe a cell."""
        names = subject.class_names
        return f"true {label(names[true])}, predicted {label(names[predicted])}"

    def behind(self, subject: Subject, true: int, predicted: int) -> np.ndarray:
        """Return the positions of the samples of a cell, most confident first."""
        positions = samples_in_cell(subject.predictions, true, predicted)
        sure = subject.predictions.scores[positions, predicted]
        return positions[np.argsort(-sure, kind="stable")]
