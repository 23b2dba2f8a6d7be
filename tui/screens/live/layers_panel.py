"""The panel of layers in Live: the latest sample, or why there is none."""

from functools import partial

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from core.events import LayersSampled
from tui.charts.layers import EXPECTED, layer_lines
from tui.widgets.drawing import Drawing
from tui.widgets.panel import Panel

__all__ = ["LayersPanel"]


class LayersPanel(Panel):
    """A line for each layer."""

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="layers-scroll"):
            yield Static("", id="no-layers", markup=False)
            yield Drawing(id="layers")

    def on_mount(self) -> None:
        self.border_title, self.border_subtitle = "layers", EXPECTED

    def show(self, sample: LayersSampled | None, active: bool) -> None:
        """Show a sample, or that there is none yet, or of a run that has ended, none at all."""
        self.query_one("#layers", Drawing).show(partial(layer_lines, sample) if sample else None)
        text = "waiting for the next step" if active else "the layers of this run were not sampled"
        note = self.query_one("#no-layers", Static)
        note.update(text)
        note.display = sample is None
