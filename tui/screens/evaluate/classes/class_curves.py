"""Epochs: recall, precision and F1 of the marked classes after each epoch."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Static

from core.counting import counted
from core.metrics import label_of
from core.runs.history.class_history import ClassHistory, class_history
from core.tasks.registry import task_of
from core.tasks.tallies import MAX_CLASSES
from tui.charts.evaluation.class_curves import CLASS_METRICS, MAX_SHOWN, class_curves_chart, worst_first
from tui.charts.explore.plot import ExploringPlot, together
from tui.charts.explore.window import WHOLE
from tui.charts.plot_chart import SAMPLES, line_markers
from tui.screens.evaluate.classes.class_list import ClassList
from tui.screens.evaluate.find_class import find_class
from tui.screens.evaluate.tab import EvaluationTab, Subject
from tui.screens.explored import EXPLORE_KEYS, ExploresCharts
from tui.widgets.chart_panel import ChartPanel
from tui.widgets.panel import Panel

__all__ = ["ClassCurvesTab"]

LOW = 24
"""Rows of charts from which on there is room for all of them."""


class ClassCurvesTab(ExploresCharts, EvaluationTab):
    """A chart for each metric, or one of them alone, and the classes to choose from."""

    TITLE = "Epochs"
    BINDINGS: ClassVar[list[BindingType]] = [
        *EXPLORE_KEYS,
        Binding("c", "chart(1)", "chart", tooltip="Show one chart alone, the next one, or all"),
        Binding("C", "chart(-1)", "previous chart", show=False),
        Binding("slash", "find", "find class", key_display="/", tooltip="Find a class by its name"),
    ]

    def __init__(self) -> None:
        super().__init__(id="epochs")
        self.view = 0
        self.history: ClassHistory | None = None

    def compose(self) -> ComposeResult:
        with Vertical(id="class-charts"):
            for metric in CLASS_METRICS:
                yield ChartPanel(id=f"class-{metric}", explores=True)
        with Panel(id="class-list-panel"):
            yield ClassList()
        yield Static("", id="no-class-curves", markup=False)

    def main_widget(self) -> Widget | None:
        return self.query_one(ClassList)

    def draw(self, subject: Subject) -> None:
        self.history = None
        self._explain("reading the epochs ...")
        run = subject.evaluation.run
        self.in_background("epochs", lambda progress: class_history(run), self._show)

    def _explain(self, why: str) -> None:
        """Show why there are no curves; nothing if there are."""
        self.query_one("#no-class-curves", Static).update(why)
        self.set_class(bool(why), "-without")

    def _show(self, history: ClassHistory) -> None:
        if not history.epochs.size:
            self._explain(
                "No epoch of this run has logged the counts of its classes. Runs log them of validation, "
                f"where there are at most {MAX_CLASSES} classes or labels."
            )
            return
        self._explain("")
        self.history = history
        order = worst_first(history)
        for plot in self.query(ExploringPlot):
            plot.explore(WHOLE)
        self.query_one(ClassList).show_classes(history, order, order[:MAX_SHOWN])
        panel = self.query_one("#class-list-panel", Panel)
        several = self.subject is not None and task_of(self.subject.report.task).several_labels
        named = counted(len(order), "label") if several else counted(len(order), "class", "classes")
        panel.border_title = f"{named}, worst first"
        at = ", threshold 0.5" if several else ""
        panel.border_subtitle = f"F1 at epoch {history.epochs[history.best]}{at}"
        self._draw_charts()
        if self.screen.focused is None:
            self.query_one(ClassList).focus()

    def on_resize(self) -> None:
        self._arrange()

    @property
    def shown_metrics(self) -> tuple[str, ...]:
        """Metrics whose charts are shown: all, or one where that was chosen or no more fit."""
        if self.size.height >= LOW and not self.view:
            return CLASS_METRICS
        place = self.view - 1 if self.size.height >= LOW else self.view
        return (CLASS_METRICS[place % len(CLASS_METRICS)],)

    def action_chart(self, by: int) -> None:
        """Show one chart alone, the next one, or all."""
        views = len(CLASS_METRICS) + (self.size.height >= LOW)
        self.view = (self.view + by) % views
        self._arrange()

    def _arrange(self) -> None:
        for metric in CLASS_METRICS:
            self.query_one(f"#class-{metric}").display = metric in self.shown_metrics

    def action_find(self) -> None:
        """Find a class by its name."""

        def found(number: int) -> None:
            table = self.query_one(ClassList)
            table.cursor = table.order.index(number)
            table.focus()

        if self.history is not None:
            find_class(self, found)

    @on(ClassList.Chosen)
    def _chosen(self, event: ClassList.Chosen) -> None:
        if isinstance(event.table, ClassList):
            event.table.toggle(event.table.order[event.row])

    @on(ClassList.Toggled)
    def _draw_charts(self) -> None:
        if self.history is None:
            return
        self._arrange()
        table = self.query_one(ClassList)
        shown = [number for number in table.order if number in table.shown]
        for metric in CLASS_METRICS:
            chart = class_curves_chart(self.history, metric, shown, table.order)
            panel = self.query_one(f"#class-{metric}", ChartPanel)
            panel.show(f"{label_of(metric)} on validation", chart)
            markers = (SAMPLES.get(marker, marker) for marker in line_markers(chart))
            table.mark(dict(zip(shown, markers, strict=True)))

    @on(ExploringPlot.Explored)
    def _explored(self, event: ExploringPlot.Explored) -> None:
        """Show the same epochs, and the same crosshair, in all charts."""
        for plot in self.query(ExploringPlot):
            if plot is not event.plot:
                plot.explore(together(event.plot.window, plot.window))
