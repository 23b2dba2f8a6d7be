"""Slices: the parts of a table that are answered worst, the columns that matter, the targets that look wrong."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widget import Widget

from core.counting import counted
from core.errors import TorchtuiError
from core.metrics import label_of
from core.session.failures import Failures, failures_of
from tui.forms.remedies import error_in_app
from tui.screens.evaluate.bars import bar
from tui.screens.evaluate.sample_list import SampleList
from tui.screens.evaluate.tab import EvaluationTab, Subject
from tui.terminal.text import clean, count, number, progress_line
from tui.terminal.themes import BLUE, MISTAKE
from tui.widgets.panel import Panel
from tui.widgets.table import Cell, Column, Table

__all__ = ["SlicesTab"]

BAR = 10
NO_COLUMNS = "its samples have no columns to cut by"
NO_SUSPECTS = "no target looks wrong"


class SlicesTab(EvaluationTab):
    """A table of slices beside the importance of columns and the samples whose targets look wrong."""

    TITLE = "Slices"

    def __init__(self) -> None:
        super().__init__(id="slices")

    def compose(self) -> ComposeResult:
        with Panel(id="slices-panel"):
            yield Table(id="slice-table")
        with Vertical(id="slices-side"):
            with Panel(id="columns-panel"):
                yield Table(id="columns")
            with Panel(id="suspects-panel"):
                yield SampleList()

    def main_widget(self) -> Widget | None:
        return self.query_one("#slice-table")

    def draw(self, subject: Subject) -> None:
        self._title("#slices-panel", "looking for slices ...", "")
        for panel in ("#columns-panel", "#suspects-panel"):
            self.query_one(panel).display = False
        self.query_one("#slice-table", Table).show([Column("", 0, "<")], 0, lambda row: [])
        self.in_background(
            "slices",
            lambda progress: failures_of(subject.evaluation, subject.data, progress),
            self._show,
            self._failed,
        )

    def show_progress(self, what: str, done: int, total: int) -> None:
        self._title("#slices-panel", clean(progress_line(what, done, total)), "")

    def _failed(self, error: Exception) -> None:
        if isinstance(error, TorchtuiError):
            self._title("#slices-panel", "no slices", "")
            self._title("#suspects-panel", "why not", "")
            self.query_one("#suspects-panel").display = True
            self.query_one(SampleList).say(error_in_app(error))

    def _show(self, failures: Failures) -> None:
        if self.subject is None:
            return
        self._show_slices(failures)
        self._show_columns(failures)
        panel = self.query_one("#suspects-panel", Panel)
        panel.display = bool(len(failures.label_errors)) or bool(failures.importances)
        panel.border_title = (
            f"{counted(len(failures.label_errors), 'target that looks', 'targets that look')} wrong"
        )
        panel.border_subtitle = ""
        if len(failures.label_errors):
            self.query_one(SampleList).show(self.subject, failures.label_errors)
        else:
            self.query_one(SampleList).say(NO_SUSPECTS)

    def _show_slices(self, failures: Failures) -> None:
        found, looked_at = failures.slices, failures.outcomes
        if not found or looked_at is None:
            self._title("#slices-panel", NO_COLUMNS, "")
            return
        worse = sum(one.is_worse for one in found)
        of = f"of {failures.slices_of}  " if failures.slices_of else ""
        weighted = self.subject is not None and self.subject.predictions.weights is not None
        of += "without weights  " if weighted else ""
        self._title(
            "#slices-panel", f"{count(len(found))} slices, the worst first", f"{of}▼ {worse} clearly worse"
        )

        def cells(row: int) -> list[Cell]:
            one = found[row]
            mark: Cell = ("▼", MISTAKE) if one.is_worse else ""
            ends = " … ".join(map(number, one.interval))
            return [
                mark,
                clean(f"{one.column} = {one.value}"),
                count(one.samples),
                number(one.score),
                ends,
                number(one.rest),
            ]

        metric = label_of(looked_at.metric)
        columns = [
            *(Column("", 1, "<"), Column("slice", 0, "<"), Column("samples", 7)),
            *(Column(metric, max(8, len(metric))), Column("95 % interval", 17), Column("rest", 8)),
        ]
        self.query_one("#slice-table", Table).show(columns, len(found), cells)

    def _show_columns(self, failures: Failures) -> None:
        found = failures.importances
        panel = self.query_one("#columns-panel", Panel)
        panel.display = bool(found)
        if not found:
            return
        largest = max(found[0].fall, 1e-12)
        panel.border_title = f"fall of {label_of(found[0].metric)} when a column is shuffled"
        panel.border_subtitle = f"in {failures.shuffled_in}" if failures.shuffled_in else ""

        def cells(row: int) -> list[Cell]:
            one = found[row]
            spread = f"{number(one.fall)} ± {number(one.deviation)}"
            return [clean(one.column), (bar(max(0.0, one.fall) / largest, BAR), BLUE), spread]

        columns = [Column("column", 0, "<"), Column("", BAR, "<"), Column("fall", 17)]
        self.query_one("#columns", Table).show(columns, len(found), cells)

    def _title(self, panel: str, title: str, subtitle: str) -> None:
        widget = self.query_one(panel, Panel)
        widget.border_title, widget.border_subtitle = title, subtitle

    @on(SampleList.Highlighted)
    def _highlighted(self, event: SampleList.Highlighted) -> None:
        self.query_one("#suspects-panel", Panel).border_subtitle = event.text
