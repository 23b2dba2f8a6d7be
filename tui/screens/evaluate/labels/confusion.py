"""Confusion of several labels: which labels stand together, and for each label its hits and mistakes."""

from typing import ClassVar

import numpy as np
from textual import on
from textual.binding import Binding, BindingType

from core.evaluation import Predictions
from tui.screens.evaluate.confusion import TITLES, ConfusionTab
from tui.screens.evaluate.facts import label
from tui.screens.evaluate.tab import Subject
from tui.terminal.text import count
from tui.terminal.themes import MISTAKE
from tui.widgets.confusion import ConfusionGrid
from tui.widgets.confusion_matrix import Normalise
from tui.widgets.table import Cell, Column, Table

__all__ = ["LabelConfusionTab"]

TOGETHER = "all, together"
TITLES_TOGETHER = {
    "count": "samples with both labels",
    "row": "% of the samples with the true label",
    "column": "% of the samples with the predicted label",
}


class LabelConfusionTab(ConfusionTab):
    """The grid shows all labels together, or the two by two of one; the list below chooses."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "label(1)", "label", tooltip="The next label"),
        Binding("L", "label(-1)", "previous label", show=False),
    ]

    def __init__(self) -> None:
        super().__init__(id="labels")

    def make_list(self) -> Table:
        return Table(id="label-list")

    @property
    def label(self) -> int | None:
        """Number of the label that is shown; None for all together."""
        row = self.query_one("#label-list", Table).cursor
        return row - 1 if row else None

    def draw(self, subject: Subject) -> None:
        rows = subject.report.per_class

        def cells(row: int) -> list[Cell]:
            if not row:
                return [TOGETHER, *[""] * 4]
            facts = rows[row - 1]
            tp, fp, fn, tn = (count(int(facts[key] or 0)) for key in ("tp", "fp", "fn", "tn"))
            return [label(str(facts["name"])), tp, (fp, MISTAKE), (fn, MISTAKE), tn]

        table = self.query_one("#label-list", Table)
        columns = [
            Column("label", 0, "<"),
            *(Column(name, 6) for name in ("hit", "wrong", "missed", "right")),
        ]
        table.show(columns, len(rows) + 1, cells, frozen=1)
        self.query_one("#pairs-panel").border_title = "hit, given wrongly, missed, rightly not given"
        self._show_grid(subject)

    def action_label(self, by: int) -> None:
        """Show the next or the previous label, after the last one all together."""
        if self.subject is not None:
            table = self.query_one("#label-list", Table)
            table.cursor = (table.cursor + by) % (len(self.subject.class_names) + 1)

    @on(Table.Highlighted, "#label-list")
    def _label_chosen(self) -> None:
        if self.subject is not None:
            self._show_grid(self.subject)

    @on(Table.Chosen, "#label-list")
    def _label_entered(self) -> None:
        self.query_one(ConfusionGrid).focus()

    def _show_grid(self, subject: Subject) -> None:
        grid, number, rows = self.query_one(ConfusionGrid), self.label, subject.report.per_class
        if number is None:
            support = np.array([row["support"] for row in rows], dtype=np.int64)
            given = np.array([int(row["tp"] or 0) + int(row["fp"] or 0) for row in rows], dtype=np.int64)
            grid.show(subject.confusion, subject.class_names, (support, given))
        else:
            facts, name = rows[number], subject.class_names[number]
            matrix = [[facts["tn"], facts["fp"]], [facts["fn"], facts["tp"]]]
            grid.show(np.array(matrix, dtype=np.int64), [f"not {name}", name])
        self._show_cell(*grid.cursor)

    def title_of(self, normalise: Normalise) -> str:
        if self.label is None:
            return TITLES_TOGETHER[normalise]
        return TITLES[normalise].replace("class", "answer")

    def cell_title(self, subject: Subject, true: int, predicted: int) -> str:
        number = self.label
        if number is None:
            return super().cell_title(subject, true, predicted)
        what = (("rightly not given", "given wrongly"), ("missed", "hit"))[true][predicted]
        return f"{label(subject.class_names[number])} {what}"

    def behind(self, subject: Subject, true: int, predicted: int) -> np.ndarray:
        return _samples(subject.predictions, self.label, true, predicted)


def _samples(predictions: Predictions, number: int | None, true: int, predicted: int) -> np.ndarray:
    """Return the positions of the samples of a cell, the surest first: of two labels, or of one and its absence."""
    if number is None:
        there = (predictions.targets[:, true] == 1) & (predictions.predicted[:, predicted] == 1)
        sure = predictions.scores[:, predicted]
    else:
        is_true, is_given = predictions.targets[:, number], predictions.predicted[:, number]
        there = (is_true == true) & (is_given == predicted)
        sure = predictions.scores[:, number] * (1 if predicted else -1)
    positions = np.flatnonzero(there)
    return positions[np.argsort(-sure[positions], kind="stable")]
