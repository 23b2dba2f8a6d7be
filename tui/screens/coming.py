"""Screens that are not there yet say what they will do."""

from textual.app import ComposeResult
from textual.widgets import Static

from tui.screens.base import ModeScreen

__all__ = ["CompareScreen"]


class CompareScreen(ModeScreen):
    """Runs side by side."""

    MODE = "compare"
    HELP = "Curves of several runs in one chart, and the fields in which they differ, will live here."

    def compose_body(self) -> ComposeResult:
        yield Static(
            "Comparison is coming: curves of several runs in one chart, and the fields in which they differ.\n\n"
            "Until then: 1 Runs sorts runs by any column.",
            classes="coming",
        )
