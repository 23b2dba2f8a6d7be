"""The table of classes beside their curves: which ones have a curve, and their numbers at the best epoch."""

from collections.abc import Sequence

from textual.binding import Binding
from textual.message import Message

from core.metrics import label_of
from core.runs.history.class_history import ClassHistory
from tui.charts.evaluation.class_curves import CLASS_METRICS, values_of
from tui.charts.evaluation.curves import class_color, class_marker
from tui.charts.plot_chart import SAMPLES
from tui.screens.evaluate.facts import label
from tui.terminal.text import number
from tui.widgets.table import Cell, Column, Table

__all__ = ["ClassList"]

ROOMY = 44
"""Cells from which on all metrics have a column, and not the first alone."""


class ClassList(Table):
    """``✓`` marks the classes that have a curve; Space, Enter or a click turns one on or off.

    Attributes:
        shown: numbers of these classes. order: numbers of all classes, by row.
    """

    BINDINGS = [Binding("space", "choose", "show/hide", tooltip="Show or hide the curves of this class")]

    class Toggled(Message):
        """Other classes are to be shown."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[int] = []
        self.order: list[int] = []
        self._history: ClassHistory | None = None
        self._markers: dict[int, str] = {}

    def show_classes(self, history: ClassHistory, order: Sequence[int], shown: Sequence[int]) -> None:
        """Show the classes in an order, some of them turned on."""
        self._history, self.order, self.shown = history, list(order), list(shown)
        self._fill()
        self.cursor = 0

    def mark(self, markers: dict[int, str]) -> None:
        """Show the marker of each curve, which distinguishes them where there is no colour."""
        if markers != self._markers:
            self._markers = markers
            self.refresh()

    def toggle(self, number_: int) -> None:
        """Turn a class on or off."""
        self.shown = (
            [each for each in self.shown if each != number_]
            if number_ in self.shown
            else [*self.shown, number_]
        )
        self.refresh()
        self.post_message(self.Toggled())

    def on_resize(self) -> None:
        super().on_resize()
        self._fill()

    def _fill(self) -> None:
        history = self._history
        if history is None:
            return
        metrics = CLASS_METRICS if self.size.width >= ROOMY else CLASS_METRICS[:1]
        values = {metric: values_of(history, metric)[history.best] for metric in metrics}

        def cells(row: int) -> list[Cell]:
            at = self.order[row]
            marker = class_marker(row)
            drawn = self._markers.get(at, SAMPLES.get(marker, marker))
            numbers = (number(float(values[metric][at])) for metric in metrics)
            sign = "✓" if at in self.shown else " "
            return [sign, (drawn, class_color(row)), label(history.names[at]), *numbers]

        columns = [Column("", 1), Column("", 1), Column("class", 0, "<")]
        columns += [Column(label_of(metric), 9 if metric == "precision" else 6) for metric in metrics]
        self.show(columns, len(self.order), cells)
