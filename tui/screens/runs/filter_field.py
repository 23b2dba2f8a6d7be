"""The field of the filter: Up brings back earlier filters."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input

__all__ = ["FilterField", "remember"]

MAX_FILTERS = 50


class FilterField(Input):
    """An input with a history, the latest text first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "recall(1)", "Earlier filter", show=False),
        Binding("down", "recall(-1)", "Later filter", show=False),
    ]

    def __init__(self, history: list[str], *, id: str) -> None:
        super().__init__(placeholder="filter", compact=True, id=id)
        self.history = history
        self._place, self._typed = -1, ""

    def action_recall(self, by: int) -> None:
        """Show the filter before or after the one that is shown; the typed one comes last."""
        known = [text for text in self.history if text != self._typed]
        if self._place < 0:
            self._typed = self.value
        self._place = max(-1, min(self._place + by, len(known) - 1))
        self.value = known[self._place] if self._place >= 0 else self._typed
        self.cursor_position = len(self.value)

    def settle(self) -> None:
        """Take what is shown as the latest filter."""
        self._place = -1
        remember(self.history, self.value)


def remember(history: list[str], text: str) -> None:
    """Put a text in front of a history, once."""
    text = text.strip()
    if text:
        history[:] = [text, *(known for known in history if known != text)][:MAX_FILTERS]
