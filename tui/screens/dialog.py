"""Base of all dialogs."""

from typing import TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen

__all__ = ["Dialog"]

Result = TypeVar("Result")


class Dialog(ModalScreen[Result]):
    """A window over a screen, which closes once however often it is asked to."""

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Close with a result; a second press of a button that is still visible changes nothing."""
        return super().dismiss(result) if self.is_active else AwaitComplete()
