"""The two tables of Compare in the room that a screen leaves them."""

from textual.app import ComposeResult
from textual.containers import Container

from tui.screens.base import NARROW
from tui.screens.compare.tables import DifferencesPanel, Shown, StandingsPanel
from tui.widgets.table import Table

__all__ = ["TablePair"]

BESIDE = 150
"""Columns from which both tables stand beside each other."""
ABOVE = 34
"""Rows from which one stands above the other on screens with fewer columns."""
LEAST_SETTINGS = 40
"""Cells of the table of settings, at least: its title and subtitle are whole."""


class TablePair(Container):
    """The runs and the settings that differ: beside each other, one above the other, or one at a time."""

    def compose(self) -> ComposeResult:
        yield StandingsPanel(id="standings-panel", classes="-chosen")
        yield DifferencesPanel(id="differences-panel")

    @property
    def runs(self) -> Table:
        """The table of runs."""
        return self.query_one(StandingsPanel).table

    def show(self, shown: Shown) -> None:
        """Show the runs, their final metrics and their settings."""
        self.set_class(len(shown.entries) < 2, "-alone")
        self.query_one(StandingsPanel).show(shown)
        self.query_one(DifferencesPanel).show(shown)
        self.share_room()

    def toggle(self) -> None:
        """Show the other table where there is room for one."""
        for panel in (StandingsPanel, DifferencesPanel):
            self.query_one(panel).toggle_class("-chosen")

    def share_room(self) -> None:
        """Give each table what it needs, as far as the screen has it."""
        standings, settings = self.query_one(StandingsPanel), self.query_one(DifferencesPanel)
        width, height = self.app.size
        stacked = NARROW <= width < BESIDE and height >= ABOVE
        self.set_class(stacked, "-stacked")
        if stacked:
            needed = standings.needed_height + (0 if self.has_class("-alone") else settings.needed_height)
            self.styles.height = min(needed, height * 3 // 5)
            standings.styles.height = standings.needed_height
            settings.styles.height = settings.styles.width = "1fr"
            return
        self.styles.height = standings.styles.height = settings.styles.height = None
        beside = min(max(LEAST_SETTINGS, settings.needed_width), width * 5 // 12)
        settings.styles.width = "1fr" if width < NARROW else beside
