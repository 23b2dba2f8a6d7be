"""Saving a chart as SVG, PNG or text, and copying what its crosshair reads."""

import os
import re
from pathlib import Path
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Button, Input, Static

from core.errors import InputError, TorchtuiError
from core.files.atomic import as_usual, write_atomically
from tui.charts.explore.plot import ExploringPlot
from tui.charts.explore.saving import ENDINGS, chart_file
from tui.forms.remedies import error_in_app
from tui.screens.dialog import Dialog
from tui.terminal.text import clean
from tui.widgets.path_suggester import PathSuggester

__all__ = ["CHART_KEYS", "SaveChart", "copy_readout"]

CHART_KEYS = [
    Binding("P", "save_chart", "save chart", show=False, tooltip="Save the chart as SVG, PNG or text"),
    Binding("Y", "copy_readout", "copy values", show=False, tooltip="Copy the values at the crosshair"),
]


class SaveChart(Dialog[None]):
    """Asks for a file, whose ending says what is written.

    Args:
        plot: the chart, as it is shown.
        name: what it shows, for its title and the file's name.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Close")]

    def __init__(self, plot: ExploringPlot, name: str) -> None:
        super().__init__()
        self.chart, self.chart_name = plot.chart, name
        self._replaces = ""

    def compose(self) -> ComposeResult:
        file = re.sub(r"\W+", "_", self.chart_name).strip("_") or "chart"
        with Vertical(classes="dialog -chart"):
            yield Static(Content(clean(f"Save the chart of {self.chart_name} as SVG, PNG or text")))
            yield Input(f"{file}.svg", compact=True, suggester=PathSuggester(ENDINGS))
            yield Static("", id="chart-problem", markup=False)
            with Horizontal(classes="answers"):
                yield Button("Save", id="save", compact=True, variant="primary")
                yield Button("Cancel", id="close", compact=True)

    @on(Input.Changed)
    def _changed(self) -> None:
        self._replaces = ""

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self._save()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "save":
            self._save()
        else:
            self.dismiss()

    def _save(self) -> None:
        path = os.path.expanduser(self.query_one(Input).value.strip())
        problem = self.query_one("#chart-problem", Static)
        if os.path.lexists(path) and path and self._replaces != path:
            self._replaces = path
            problem.update(Content("▲ The file is there already. Save again to replace it."))
            return
        try:
            self._write(Path(path))
        except TorchtuiError as error:
            problem.update(Content(f"✗ {clean(error_in_app(error))}"))
        else:
            self.notify(clean(str(Path(path).resolve())), title="Chart saved", markup=False)
            self.dismiss()

    def _write(self, path: Path) -> None:
        if path.suffix.lower() not in ENDINGS:
            raise InputError(f"the file is '{path}'", f"Its name ends in one of {', '.join(ENDINGS)}")
        content = chart_file(self.chart, self.chart_name, path.suffix.lower())
        write_atomically(path, lambda file: file.write(content))
        as_usual(path)


def copy_readout(screen: Screen[Any], plot: ExploringPlot) -> None:
    """Copy the values at the crosshair of a chart in one line."""
    if not plot.readout:
        screen.notify("Point at the chart first, or press ← or →.", severity="warning")
        return
    screen.app.copy_to_clipboard(plot.readout)
    screen.notify(plot.readout, title="Copied", markup=False)
