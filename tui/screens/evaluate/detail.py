"""One sample in full: picture or features, the prediction, and the scores that matter."""

from functools import partial
from typing import ClassVar

import numpy as np
from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.widgets import Footer, Static

from tui.screens.dialog import Dialog
from tui.screens.evaluate.facts import cells_of, full_facts, reading, score_bars
from tui.screens.evaluate.tab import Subject
from tui.terminal.text import clean, count
from tui.widgets.drawing import Drawing
from tui.widgets.panel import Panel
from tui.widgets.picture import Picture
from tui.widgets.table import Column, Table

__all__ = ["SampleDetail", "SampleDialog"]

MAX_CELLS = 24
"""Widest column of values; longer ones are cut."""


class SampleDetail(Container):
    """Facts and scores beside a picture, or beside a row of features."""

    def compose(self) -> ComposeResult:
        yield Picture(id="detail-picture")
        with Vertical(id="detail-texts"):
            yield Static("", id="detail-facts", markup=False)
            yield Drawing(id="detail-scores")
        with VerticalScroll(id="detail-reading"):
            yield Drawing(id="detail-drawing")
        yield Table(id="detail-features")

    def show(self, subject: Subject, position: int) -> None:
        """Show a sample; the samples of the subject are loaded."""
        samples = subject.samples
        is_image, is_read = samples.kind.shown == "picture", samples.kind.shown in ("text", "curves")
        self.query_one(Picture).display = is_image
        features = self.query_one("#detail-features", Table)
        is_text = samples.kind.shown == "text"
        features.display = samples.kind.shown != "curves" and len(samples.columns) > is_text
        self.query_one("#detail-reading").display = is_read
        self.query_one("#detail-facts", Static).update(full_facts(subject, position))
        scores = self.query_one("#detail-scores", Drawing)
        scores.show(partial(score_bars, subject, position) if subject.class_names else None)
        if is_image:
            self.query_one(Picture).show(samples.picture(position))
        if is_read:
            self.query_one("#detail-drawing", Drawing).show(partial(reading, samples, position))
            self.query_one("#detail-reading").scroll_home(animate=False)
        if features.display:
            values = cells_of(samples, position)
            names = [clean(name) for name in samples.columns]
            widest = max(map(cell_len, values), default=0)
            columns = [Column("feature", 0, "<"), Column("value", min(max(widest, 9), MAX_CELLS))]
            features.show(columns, len(names), lambda row: (names[row], values[row]))


class SampleDialog(Dialog[int]):
    """An enlarged sample; arrows move to its neighbours. Returns the place at which it was closed.

    Args:
        positions: of all samples that can be reached.
        place: of the first one among them.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter", "close", "close"),
        Binding("left,up", "go(-1)", "previous", key_display="←"),
        Binding("right,down", "go(1)", "next", key_display="→"),
        Binding("pageup", "page(-1)", "features above", show=False),
        Binding("pagedown", "page(1)", "features below", show=False),
    ]
    AUTO_FOCUS = ""

    def __init__(self, subject: Subject, positions: np.ndarray, place: int) -> None:
        super().__init__()
        self.subject, self.positions, self.place = subject, positions, place

    def compose(self) -> ComposeResult:
        with Panel(id="sample"):
            yield SampleDetail()
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        self.query_one("#detail-features", Table).can_focus = False
        self._show()

    def action_go(self, by: int) -> None:
        """Show the sample beside this one."""
        self.place = min(max(self.place + by, 0), len(self.positions) - 1)
        self._show()

    def action_page(self, pages: int) -> None:
        """Scroll the features."""
        self.query_one("#detail-features", Table).action_page(pages)

    def action_close(self) -> None:
        """Return to the list."""
        self.dismiss(self.place)

    def _show(self) -> None:
        self.query_one(SampleDetail).show(self.subject, int(self.positions[self.place]))
        panel = self.query_one(Panel)
        panel.border_title = "sample"
        panel.border_subtitle = f"{count(self.place + 1)} of {count(len(self.positions))}"
