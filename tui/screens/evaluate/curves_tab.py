"""ROC and PR: a line per class, a cursor that moves along one of them, and the same numbers in a table."""

from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from core.evaluation.curve_sets import Curve, CurveKind, Point, first_chosen, first_shown
from core.evaluation.two_classes.bands import Band, band_of
from core.evaluation.values import Undefined
from tui.charts.evaluation.curves import KINDS, chance, chart, drawing_order
from tui.charts.explore.plot import ExploringPlot
from tui.charts.plot import Plot
from tui.charts.plot_chart import SAMPLES, Chart, line_markers
from tui.screens.evaluate.curve_list import CurveList
from tui.screens.evaluate.facts import label
from tui.screens.evaluate.tab import Subject
from tui.screens.evaluate.two_classes.picked import PicksThreshold, nearest_place
from tui.screens.explored import EXPLORE_KEYS, ExploresCharts
from tui.terminal.text import amount, clean, fit, number
from tui.terminal.themes import YELLOW
from tui.widgets.panel import Panel
from tui.widgets.table import Cell, Column, Table

__all__ = ["PrecisionRecallTab", "RocTab"]

NAME_WIDTH = 20
STEPS = 100
"""Share of a line that one step of the cursor covers, roughly."""
POINT_COLUMNS = (
    Column("threshold", 9),
    Column("precision", 9),
    Column("recall", 6),
    Column("F1", 6),
    Column("FPR", 6),
)


class CurvesTab(ExploresCharts, PicksThreshold):
    """Base of ROC and PR."""

    KIND: ClassVar[CurveKind]
    BINDINGS: ClassVar[list[BindingType]] = [
        *EXPLORE_KEYS,
        Binding(
            "left",
            "step(-1)",
            "threshold",
            key_display="← →",
            tooltip="Move along the line: higher threshold",
        ),
        Binding("right", "step(1)", "lower threshold", show=False),
        Binding("shift+left", "step(-10)", "ten steps down", show=False),
        Binding("shift+right", "step(10)", "ten steps up", show=False),
        Binding("k", "keep", "keep", tooltip="Keep this threshold with the run; asks first"),
    ]

    def __init__(self) -> None:
        super().__init__(id=self.KIND)
        self.curves: list[Curve] = []
        self.places: dict[int, int] = {}
        self.bands: dict[int, Band | Undefined] = {}

    def compose(self) -> ComposeResult:
        with Panel(classes="plot-panel"):
            yield ExploringPlot(both=True)
        with Vertical(classes="curve-side"):
            with Panel(classes="list-panel"):
                yield CurveList()
            with Panel(classes="points-panel"):
                yield Table(id=f"{self.KIND}-points")
        yield Static("", classes="readout", markup=False)

    def main_widget(self) -> Widget | None:
        return self.query_one(CurveList)

    def draw(self, subject: Subject) -> None:
        self.curves, self.places, self.bands = [], {}, {}
        self.forget("band")
        self.query_one(Plot).show(Chart(empty="sorting scores ..."))
        for table in self.query(Table):
            table.show((), 0, lambda row: ())
        self.in_background("curves", lambda progress: subject.curves, self._show)

    def _show(self, curves: list[Curve]) -> None:
        self.curves = curves
        title, area = KINDS[self.KIND]
        shown = first_shown(curves, self.KIND)
        self.query_one(".plot-panel", Panel).border_title = title
        self.query_one(".list-panel", Panel).border_title = area
        short = "AUC" if self.KIND == "roc" else "AP"
        curve_list = self.query_one(CurveList)
        curve_list.show_curves(curves, self.KIND, short, shown, first_chosen(curves, self.KIND))
        self._show_chosen()

    @property
    def chosen(self) -> int:
        """Number of the curve with the cursor."""
        return self.query_one(CurveList).cursor

    @property
    def place(self) -> int:
        """Return the position of the threshold cursor on it; at first where F1 is highest."""
        return self.places.setdefault(self.chosen, self.curves[self.chosen].best_place())

    def action_step(self, steps: int) -> None:
        """Move the threshold cursor along the line."""
        line = self.curves[self.chosen].lines[self.KIND] if self.curves else None
        if line is not None:
            size = max(1, len(line[0]) // STEPS)
            self._go(min(max(self.place + steps * size, 0), len(line[0]) - 1))

    def action_keep(self) -> None:
        """Keep the threshold under the cursor with the run, after it was shown."""
        if self.curves and self.curves[self.chosen].lines[self.KIND] is not None:
            curve = self.curves[self.chosen]
            self.ask_to_keep(curve, curve.point(self.KIND, self.place))

    @on(ExploringPlot.Picked)
    def _picked(self, event: ExploringPlot.Picked) -> None:
        """Move the threshold cursor to the point of its curve that is nearest to a click."""
        line = self.curves[self.chosen].lines[self.KIND] if self.curves else None
        if line is not None:
            self._go(nearest_place(line, event.x, event.y))

    def _go(self, place: int) -> None:
        self.places[self.chosen] = place
        self.query_one(f"#{self.KIND}-points", Table).cursor = place
        self._draw_chart()

    @on(CurveList.Highlighted)
    def _highlighted(self, event: CurveList.Highlighted) -> None:
        if event.table is self.query_one(CurveList):
            self._show_chosen()
        elif self.curves and event.row != self.place:
            self._go(event.row)

    @on(CurveList.Chosen)
    def _row_chosen(self, event: CurveList.Chosen) -> None:
        if isinstance(event.table, CurveList):
            event.table.toggle(event.row)

    @on(CurveList.Toggled)
    def _toggled(self) -> None:
        self._draw_chart()

    def _show_chosen(self) -> None:
        """Show the points of the curve that now has the cursor."""
        if not self.curves:
            return
        curve = self.curves[self.chosen]
        line = curve.lines[self.KIND]
        rows = len(line[0]) if line else 0
        table = self.query_one(f"#{self.KIND}-points", Table)
        table.show(POINT_COLUMNS, rows, lambda row: _point_cells(curve.point(self.KIND, row)))
        table.cursor = self.place
        self.query_one(".points-panel", Panel).border_title = f"points of {label(curve.name)}"
        self._draw_chart()
        self._find_band(self.chosen)

    def _find_band(self, number_: int) -> None:
        """Draw the band around a curve once it is known; slow on first use."""
        if number_ in self.bands:
            self._show_subtitle()
            return
        curve = self.curves[number_]

        def keep(band: Band | Undefined) -> None:
            self.bands[number_] = band
            self._show_subtitle()
            self._draw_chart()

        self.in_background("band", lambda progress: band_of(curve, self.KIND), keep)

    def _show_subtitle(self) -> None:
        positive = self.subject.report.positive if self.subject else ""
        band = self.bands.get(self.chosen)
        parts = [f"positive class: {label(positive)}"] if positive else []
        name = self.curves[self.chosen].name
        of_name = "" if name == positive else f" of {label(name)}"
        if isinstance(band, Undefined):
            parts.append(f"no band{of_name}: {clean(band.reason)}")
        elif band is not None:
            parts.append(f"band{of_name}: 95 %, pointwise")
        panel = self.query_one(".plot-panel", Panel)
        panel.border_title = f"{KINDS[self.KIND][0]}  ·  {chance(self.curves[self.chosen], self.KIND)}"
        panel.border_subtitle = "  ·  ".join(parts)

    def _draw_chart(self) -> None:
        if not self.curves:
            return
        curve = self.curves[self.chosen]
        shown = self.query_one(CurveList).shown
        visible = shown if self.chosen in shown else [*shown, self.chosen]
        band = self.bands.get(self.chosen)
        bands = [band] if isinstance(band, Band) else []
        drawn = chart(self.curves, visible, self.KIND, at=(self.chosen, self.place), bands=bands)
        self.query_one(Plot).show(drawn)
        order = drawing_order(self.curves, visible, self.KIND, self.chosen)
        found = line_markers(drawn)
        markers = (SAMPLES.get(marker, marker) for marker in found[len(found) - len(order) :])
        self.query_one(CurveList).mark(dict(zip(order, markers, strict=False)))
        readout = self.query_one(".readout", Static)
        readout.update(_readout(curve, self.KIND, self.place, readout.size.width))


class RocTab(CurvesTab):
    """True against false positive rate for each class."""

    TITLE = "ROC"
    KIND = "roc"


class PrecisionRecallTab(CurvesTab):
    """Precision against recall for each class."""

    TITLE = "PR"
    KIND = "pr"


def _point_cells(point: Point) -> list[Cell]:
    return [number(point.threshold), *map(number, (point.precision, point.recall, point.f1, point.fpr))]


def _readout(curve: Curve, kind: CurveKind, place: int, room: int) -> Content:
    """Describe the point under the cursor, or why there is none; with counts if they fit in `room` cells."""
    shown = fit(curve.name, NAME_WIDTH, empty="∅").rstrip()
    name = Content.assemble(("●", "rgb({},{},{})".format(*YELLOW)), (f" {shown}", "bold"))
    if curve.lines[kind] is None:
        return Content.assemble(name, f"  no curve: {curve.reason}")
    point = curve.point(kind, place)
    facts = {
        "threshold": point.threshold,
        "precision": point.precision,
        "recall": point.recall,
        "F1": point.f1,
        "FPR": point.fpr,
    }
    text = "".join(f"  {what} {number(value, 3)}" for what, value in facts.items())
    if point.tp is not None and point.fp is not None:
        missed = curve.positives - point.tp
        counts = f"  {amount(point.tp)} found, {amount(missed)} missed, {amount(point.fp)} false"
        text += counts if name.cell_length + cell_len(text + counts) <= room else ""
    return Content.assemble(name, text)
