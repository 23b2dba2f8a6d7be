"""The Data view: rows or images with their targets, the values of each column, the classes of each split."""

from functools import partial
from typing import ClassVar

import numpy as np
from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Footer, Static

from core.data.kinds.registry import kind_of
from tui.forms import preview_drawings as draw
from tui.forms.data_overview import DataFacts
from tui.screens.dialog import Dialog
from tui.terminal.curves import sparkline
from tui.terminal.text import UNKNOWN, clean, count, fit, number, percent
from tui.widgets.drawing import Drawing
from tui.widgets.panel import Panel
from tui.widgets.table import Cell, Column, Table
from tui.widgets.tiles import Tiles

__all__ = ["DataDialog"]

NAME_CELLS, HOLDS_CELLS = 18, 10
WIDEST = 16
"""Cells of a column of sample rows; longer values are cut."""
MISSING = (213, 94, 0)


class Images(Tiles):
    """Pictures without further details to open."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "choose"


class DataDialog(Dialog[None]):
    """Everything known about a dataset, in a window over the form.

    Args:
        facts: of the data chosen in the form.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,d,q", "dismiss", "close"),
        Binding("tab", "app.focus_next", "next panel", key_display="tab"),
        Binding("shift+tab", "app.focus_previous", show=False),
    ]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-normal")]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]

    def __init__(self, facts: DataFacts) -> None:
        super().__init__()
        self.facts = facts

    def compose(self) -> ComposeResult:
        image = kind_of(self.facts.kind).shown == "picture"
        with Panel(id="data-view"):
            yield Drawing(id="data-sizes")
            yield Static(draw.warning_lines(self.facts.warnings), id="data-warnings", markup=False)
            yield Static("\n".join(map(clean, self.facts.notes)), id="data-notes", markup=False)
            with Horizontal(id="data-upper"):
                with Panel(id="data-columns"):
                    yield Table(id="columns")
                with Panel(id="data-classes"):
                    yield Drawing(id="classes")
            with Vertical(id="data-lower"), Panel(id="data-samples"):
                yield Images(id="pictures") if image else Table(id="rows")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        facts = self.facts
        kind = kind_of(facts.kind)
        image = kind.shown == "picture"
        self._title("data-view", facts.name, "escape closes")
        self._title("data-columns", kind.parts, f"{count(len(facts.spreads))}")
        self._title(
            "data-classes", "targets" if facts.has_numbers else "classes", f"{count(len(facts.balance))}"
        )
        shown = count(len(facts.more[1]))
        self._title("data-samples", "images" if image else "rows", f"the first {shown} of train")
        self.query_one("#data-sizes", Drawing).show(partial(draw.facts_lines, facts))
        self.query_one("#data-notes").display = bool(facts.notes)
        self.query_one("#data-warnings").display = bool(facts.warnings)
        self.query_one("#classes", Drawing).show(partial(draw.shares, facts))
        self._show_columns()
        (self._show_pictures if image else self._show_rows)()

    def _title(self, panel: str, title: str, subtitle: str) -> None:
        widget = self.query_one(f"#{panel}", Panel)
        widget.border_title, widget.border_subtitle = title, subtitle

    def _show_columns(self) -> None:
        spreads = self.facts.spreads
        rows = sum(self.facts.sizes.values())
        lacks = any(spread.missing for spread in spreads)
        shares = [
            f"{count(spread.missing)} {percent(spread.missing / max(1, rows), 0):>3} %"
            if spread.missing
            else ""
            for spread in spreads
        ]
        name_cells = max((cell_len(clean(spread.name)) for spread in spreads), default=1)
        holds_cells = max((cell_len(clean(spread.holds)) for spread in spreads), default=1)
        columns = [
            Column("name", min(NAME_CELLS, max(6, name_cells)), "<"),
            Column("holds", max(HOLDS_CELLS, min(2 * HOLDS_CELLS, holds_cells)), "<"),
            Column("values", 0, "<"),
        ]
        columns += [Column("missing", max(7, *map(len, shares)))] if lacks else []

        def cells(row: int) -> list[Cell]:
            spread = spreads[row]
            line: list[Cell] = [spread.name or "∅", spread.holds, spread.values or UNKNOWN]
            if lacks:
                line.append((shares[row], MISSING) if spread.missing else UNKNOWN)
            return line

        self.query_one("#columns", Table).show(columns, len(spreads), cells)

    def _show_rows(self) -> None:
        facts = self.facts
        values, labels = facts.more
        target = "target" if facts.has_numbers else "class"
        texts = [[_text(value) for value in row] for row in values]
        widths = [
            min(WIDEST, max(6, len(clean(name)), *(len(row[at]) for row in texts)))
            for at, name in enumerate(facts.feature_names)
        ]
        named = [Column(clean(name), width) for name, width in zip(facts.feature_names, widths, strict=True)]
        if len(named) == 1:  # such as a text: it takes the room that there is
            named = [Column(clean(facts.feature_names[0]), 0, "<")]
        first = Column(target, min(WIDEST, max(6, *map(len, labels))) if labels else 6, "<")
        table = self.query_one("#rows", Table)
        table.show([first, *named], len(labels), lambda row: [labels[row] or "∅", *texts[row]], frozen=1)
        table.focus(scroll_visible=False)

    def _show_pictures(self) -> None:
        pixels, labels = self.facts.more
        tiles = self.query_one(Tiles)
        tiles.show(len(labels), lambda at: pixels[at], lambda at, width: fit(labels[at], width, empty="∅"))
        tiles.focus(scroll_visible=False)


def _text(value: np.generic | np.ndarray) -> str:
    """A value of a row: as it stands in the file, a number, or the curve of a channel."""
    if isinstance(value, np.ndarray):
        return sparkline(value, WIDEST)
    written = isinstance(value, np.str_)
    return (clean(draw.rounded(str(value), WIDEST)) or UNKNOWN) if written else number(float(value))
