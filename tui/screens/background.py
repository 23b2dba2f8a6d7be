"""Work off the UI thread for widgets and screens: the newest request of a kind wins."""

import traceback
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from textual.dom import DOMNode
from textual.message import Message
from textual.message_pump import MessagePump

from core.data.dataset import Progress
from core.errors import TorchtuiError
from tui.screens.base import tui_of

__all__ = ["Background"]

T = TypeVar("T")


class Background(MessagePump):
    """Mixin. Results arrive as messages, so that a closed widget drops them instead of blocking the thread."""

    class Answered(Message, bubble=False):
        """Run a callback, unless something newer of its kind was requested."""

        def __init__(self, kind: str, ticket: int, use: Callable[[], None]) -> None:
            super().__init__()
            self.kind, self.ticket, self.use = kind, ticket, use

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._tickets: dict[str, int] = {}
        """Number of the newest request of each kind."""

    def in_background(
        self,
        kind: str,
        work: Callable[[Progress], T],
        done: Callable[[T], None],
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        """Do `work` on a thread, then `done` with its result on this one.

        Args:
            kind: only the newest request of a kind counts.
            work: called with a function that reports progress to `show_progress`.
            failed: called with an error; without it, and for every defect, the app shows a dialog.
        """
        ticket = self.forget(kind)

        def answer(use: Callable[[], None]) -> None:
            self.post_message(self.Answered(kind, ticket, use))

        def progress(what: str, done: int, total: int) -> None:
            answer(partial(self.show_progress, what, done, total))

        def run() -> None:
            try:
                answer(partial(done, work(progress)))
            except Exception as error:
                trace = "" if isinstance(error, TorchtuiError) else traceback.format_exc()
                answer(partial(self._fail, error, trace, failed))

        assert isinstance(self, DOMNode)
        self.run_worker(run, thread=True, group=kind)

    def _fail(self, error: Exception, trace: str, failed: Callable[[Exception], None] | None) -> None:
        if trace or failed is None:
            tui_of(self).show_error(error, trace)
        if failed is not None:
            failed(error)

    def forget(self, kind: str) -> int:
        """Discard the running request of this kind; return the number of the next one."""
        self._tickets[kind] = self._tickets.get(kind, 0) + 1
        return self._tickets[kind]

    def show_progress(self, what: str, done: int, total: int) -> None:
        """Called with the progress of slow work: its name, the amount done, and the total (0 if unknown)."""

    def on_background_answered(self, message: Answered) -> None:
        if self._tickets[message.kind] == message.ticket:
            message.use()
