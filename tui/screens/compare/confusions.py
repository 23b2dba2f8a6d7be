"""Dialog with the confusion matrices of two runs, and how they differ."""

from typing import ClassVar

import numpy as np
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.events import Resize
from textual.widgets import Static

from core.evaluation import Report
from tui.screens.base import NARROW
from tui.screens.compare.confusion_change import ConfusionChange
from tui.screens.dialog import Dialog
from tui.terminal.text import clean
from tui.widgets.confusion import ConfusionGrid
from tui.widgets.panel import Panel

__all__ = ["ConfusionsDialog", "why_not"]

PARTS = ("first", "second", "change")
LEGEND = "blue is better in the second, vermilion worse"


def why_not(first: Report | None, second: Report | None) -> str:
    """Return why the confusion matrices of two evaluations of one split cannot be compared; empty if they can."""
    if first is None or second is None:
        return (
            "One of the two runs has not been evaluated on this split: e evaluates the run with the cursor."
        )
    if not first.confusion or not second.confusion:
        return "One of the two runs has no confusion matrix: it does not predict classes."
    if first.class_names != second.class_names:
        return "The two runs have different classes."
    return ""


class ConfusionsDialog(Dialog[None]):
    """Two matrices with one cursor; `d` shows the second minus the first, on narrow screens one after the other.

    Args:
        names: of the two runs.
        reports: their evaluations of one split, with the same classes.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,c", "dismiss", "Close"),
        Binding("d", "turn", "The difference, or both matrices"),
    ]

    def __init__(self, names: tuple[str, str], reports: tuple[Report, Report]) -> None:
        super().__init__()
        self.names, self.reports = names, reports
        self.shown = "first"

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -confusions") as body:
            body.border_title = f"confusion on {self.reports[0].split}"
            body.border_subtitle = "d difference  n counts or %  m next mistake  esc closes"
            with Horizontal():
                for part in PARTS:
                    with Panel(id=f"{part}-panel"):
                        yield ConfusionGrid(id=part)
            yield Static("", id="confusions-note", markup=False)

    def on_mount(self) -> None:
        before, after = (np.array(report.confusion, dtype=np.int64) for report in self.reports)
        names = self.reports[0].class_names
        self.query_one("#first", ConfusionGrid).show(before, names)
        self.query_one("#second", ConfusionGrid).show(after, names)
        self.query_one("#change", ConfusionGrid).show_matrix(ConfusionChange.between(before, after, names))
        for part, title in zip(PARTS, (*self.names, f"{self.names[1]} − {self.names[0]}"), strict=True):
            self.query_one(f"#{part}-panel", Panel).border_title = clean(title)
        counts = [report.n for report in self.reports]
        note = f"▲ {counts[0]:,} and {counts[1]:,} samples: compare shares (n), not counts. "
        legend = f"{note if len(set(counts)) > 1 else ''}difference: {LEGEND}"
        self.query_one("#confusions-note", Static).update(legend)
        self._arrange()

    def action_turn(self) -> None:
        """Show the difference, or the matrices again; one after the other where only one has room."""
        order = PARTS if self.app.size.width < NARROW else ("first", "change")
        place = order.index(self.shown) + 1 if self.shown in order else 0
        self.shown = order[place % len(order)]
        self._arrange()

    @on(Resize)
    def _arrange(self) -> None:
        is_narrow = self.app.size.width < NARROW
        both = not is_narrow and self.shown != "change"
        for part in PARTS:
            self.query_one(f"#{part}-panel").display = part == self.shown or (both and part != "change")
        self.query_one(f"#{'first' if both else self.shown}", ConfusionGrid).focus()

    @on(ConfusionGrid.Moved)
    def _moved(self, event: ConfusionGrid.Moved) -> None:
        """Let the other two follow the grid that has the focus."""
        for part in PARTS:
            grid = self.query_one(f"#{part}", ConfusionGrid)
            if event.grid.has_focus:
                grid.cursor, grid.normalise = event.grid.cursor, event.grid.normalise
            self.query_one(f"#{part}-panel", Panel).border_subtitle = grid.caption
