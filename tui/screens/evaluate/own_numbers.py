"""Numbers: what a network with its own training step reports, and the picture or the text that it gives to look at."""

import numpy as np
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from core.counting import counted
from core.errors import RunDamaged
from core.evaluation import Report
from core.inference.stored import stored_samples
from core.metrics import label_of
from tui.screens.evaluate.tab import EvaluationTab, Subject
from tui.terminal.text import clean, number
from tui.widgets.panel import Panel
from tui.widgets.picture import Picture
from tui.widgets.table import Column, Table

__all__ = ["OwnNumbersTab"]


class OwnNumbersTab(EvaluationTab):
    """All numbers, beside the samples."""

    TITLE = "Numbers"

    def __init__(self) -> None:
        super().__init__(id="numbers")

    def compose(self) -> ComposeResult:
        with Panel(id="numbers-panel"):
            yield Table(id="numbers-table")
            yield Static("", id="numbers-reasons", markup=False)
        with Panel(id="given-panel"):
            yield Picture(id="given-picture")
            with VerticalScroll(id="given-scroll"):
                yield Static("", id="given-text", markup=False)

    def main_widget(self) -> Widget | None:
        return self.query_one(Table)

    def draw(self, subject: Subject) -> None:
        report = subject.report
        rows = [[clean(label_of(name)), number(value)] for name, value in report.metrics.items()]
        table = self.query_one(Table)
        columns = [Column("number", 0, "<"), Column("value", max([8, *(len(row[1]) for row in rows)]))]
        table.show(columns, len(rows), rows.__getitem__)
        table.styles.height = len(rows) + 1
        self.query_one(
            "#numbers-panel", Panel
        ).border_title = f"{report.split}: {counted(report.n, 'sample')}"
        self.query_one("#numbers-reasons", Static).update(Content("\n".join(_reasons(report))))
        panel = self.query_one("#given-panel", Panel)
        panel.display = False
        panel.border_title = "samples of the first batch"
        self.in_background("samples", lambda progress: _samples(subject), self._show)

    def _show(self, samples: np.ndarray | str | None) -> None:
        is_text = isinstance(samples, str)
        self.query_one("#given-panel").display = samples is not None
        self.query_one(Picture).display = not is_text
        self.query_one("#given-scroll").display = is_text
        if isinstance(samples, str):
            lines = "\n".join(map(clean, samples.splitlines()))
            self.query_one("#given-text", Static).update(Content(lines))
        else:
            self.query_one(Picture).show(samples)


def _reasons(report: Report) -> list[str]:
    """Return why numbers are missing."""
    return [f"– {clean(label_of(name))}: {clean(why)}" for name, why in report.undefined.items()]


def _samples(subject: Subject) -> np.ndarray | str | None:
    """Return the stored samples, or why they cannot be shown."""
    try:
        return stored_samples(subject.evaluation)
    except RunDamaged as error:
        return str(error)
