"""The list of classes beside a chart: which lines are shown, in which colour, with which area."""

from collections.abc import Sequence

from textual.binding import Binding
from textual.message import Message

from core.evaluation.curve_sets import Curve, CurveKind
from tui.charts.evaluation.curves import color_of, marker_of
from tui.charts.plot_chart import SAMPLES
from tui.screens.evaluate.facts import label
from tui.terminal.text import number
from tui.widgets.table import Cell, Column, Table

__all__ = ["CurveList"]


class CurveList(Table):
    """``✓`` marks the lines that are shown; Space, Enter or a click turns one on or off."""

    BINDINGS = [Binding("space", "choose", "show/hide")]

    class Toggled(Message):
        """The set of lines to show has changed."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.shown: list[int] = []
        self._marks: dict[int, str] = {}

    def mark(self, marks: dict[int, str]) -> None:
        """Show the marker of each line, which distinguishes them where there is no colour."""
        if marks != self._marks:
            self._marks = marks
            self.refresh()

    def show_curves(
        self, curves: Sequence[Curve], kind: CurveKind, area: str, shown: Sequence[int], chosen: int
    ) -> None:
        """Show the curves of a kind, some of them turned on, one with the cursor.

        Args:
            area: name of the number after each.
        """
        self.shown = list(shown)

        def cells(row: int) -> list[Cell]:
            curve = curves[row]
            there = curve.lines[kind] is not None
            sign = "✓" if row in self.shown else " "
            marker = marker_of(curves, row)
            drawn = self._marks.get(row, SAMPLES.get(marker, marker))
            sample = (drawn, color_of(curves, row)) if there else "–"
            return [sign, sample, label(curve.name), number(curve.area[kind])]

        columns = [Column("", 1), Column("", 1), Column("class", 0, "<"), Column(area, 7)]
        self.show(columns, len(curves), cells)
        self.cursor = chosen

    def toggle(self, number_: int) -> None:
        """Turn a line on or off."""
        if number_ in self.shown:
            self.shown.remove(number_)
        else:
            self.shown.append(number_)
        self.refresh()
        self.post_message(self.Toggled())
