"""Importance of each parameter, as bars."""

from functools import partial
from typing import TYPE_CHECKING

from textual.app import ComposeResult

from tui.charts.study import importance_lines
from tui.widgets.drawing import Drawing
from tui.widgets.panel import Panel

if TYPE_CHECKING:
    from tui.runtime.study_follower import Standing

__all__ = ["ImportancePanel"]


class ImportancePanel(Panel):
    """A bar per parameter."""

    def compose(self) -> ComposeResult:
        yield Drawing(id="importance")

    def on_mount(self) -> None:
        self.border_title = "importance"

    def show(self, standing: "Standing") -> None:
        """Show the importance of each parameter in a study."""
        self.query_one(Drawing).show(partial(importance_lines, standing.importance))
