"""Base of all dialogs."""

from typing import TypeVar

from rich.cells import cell_len
from textual import on
from textual.await_complete import AwaitComplete
from textual.events import Resize
from textual.screen import ModalScreen
from textual.widgets import Button

__all__ = ["Dialog"]

Result = TypeVar("Result")
BUTTON_CELLS, DIALOG_CELLS = 4, 6
"""Of a button beside its label, and of a dialog beside its content, in `screens.tcss`."""
MAX_SHARE = 0.9
"""Of the width of the screen, for dialogs as wide as their content."""


class Dialog(ModalScreen[Result]):
    """A window over a screen, which closes once however often it is asked to."""

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Close with a result; a second press of a button that is still visible changes nothing."""
        return super().dismiss(result) if self.is_active else AwaitComplete()

    @on(Resize)
    def _arrange_answers(self) -> None:
        """Put the buttons below each other where they do not fit beside each other: as many to a row as do."""
        for row in self.query(".answers"):
            widths = [cell_len(str(button.label)) + BUTTON_CELLS for button in row.query(Button)]
            room, widest = self._room(), max(widths, default=1)
            row.set_class(sum(widths) > room, "-stacked")
            row.styles.grid_size_columns = max(1, room // widest)
            row.styles.grid_columns = str(widest)

    def _room(self) -> int:
        """Return the cells of a line of the dialog."""
        width = self.query_one(".dialog").styles.width
        share = int(MAX_SHARE * self.size.width)
        wanted = int(width.value) if width is not None and width.is_cells else share
        return min(wanted, share) - DIALOG_CELLS
