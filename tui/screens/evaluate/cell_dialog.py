"""The samples of a confusion matrix cell, in a window where the screen has no room beside the matrix."""

from typing import ClassVar

import numpy as np
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Footer

from tui.screens.dialog import Dialog
from tui.screens.evaluate.sample_list import SampleList
from tui.screens.evaluate.tab import Subject
from tui.widgets.panel import Panel

__all__ = ["CellDialog"]


class CellDialog(Dialog[None]):
    """Enter enlarges a sample, Escape goes back to the matrix."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "back")]

    def __init__(self, subject: Subject, title: str, positions: np.ndarray) -> None:
        super().__init__()
        self.subject, self.heading, self.positions = subject, title, positions

    def compose(self) -> ComposeResult:
        with Panel(id="samples-panel"):
            yield SampleList()
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        self.query_one(Panel).border_title = self.heading
        self.query_one(SampleList).show(self.subject, self.positions, focus=True)

    @on(SampleList.Highlighted)
    def _highlighted(self, event: SampleList.Highlighted) -> None:
        self.query_one(Panel).border_subtitle = event.text
