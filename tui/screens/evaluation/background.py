"""Work off the UI thread for widgets and screens: the newest request of a kind wins."""

import traceback
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from textual.message import Message
from textual.message_pump import MessagePump

from core.errors import TorchtuiError

__all__ = ["Background"]

T = TypeVar("T")


class Background(MessagePump):
    """A mixin. Results come as messages, so that a closed widget loses them instead of holding the thread."""

    class Answered(Message, bubble=False):
        """Work has ended: what is to be done with it, if it is still the newest of its kind."""

        def __init__(self, kind: str, ticket: int, use: Callable[[], None]) -> None:
            super().__init__()
            self.kind, self.ticket, self.use = kind, ticket, use

    def in_background(
        self,
        kind: str,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[TorchtuiError], None] | None = None,
    ) -> None:
        """Do `work` on a thread, then `done` with its result on this one, unless something newer was asked for.

        Args:
            kind: only the newest request of a kind counts.
            failed: told of expected errors; by default, and for all others, the app shows a dialog.
        """
        tickets: dict[str, int] = self.__dict__.setdefault("_tickets", {})
        ticket = tickets[kind] = tickets.get(kind, 0) + 1
        app: Any = self.app

        def run() -> None:
            use: Callable[[], None]
            try:
                use = partial(done, work())
            except TorchtuiError as error:
                use = partial(failed or app.show_error, error)
            except Exception as error:  # a defect: told to the user, not lost in a thread
                use = partial(app.show_error, error, traceback.format_exc())
            self.post_message(self.Answered(kind, ticket, use))

        self.run_worker(run, thread=True, group=kind)  # type: ignore[attr-defined]

    def forget(self, kind: str) -> None:
        """Whatever of this kind is under way is not wanted any more."""
        tickets: dict[str, int] = self.__dict__.setdefault("_tickets", {})
        tickets[kind] = tickets.get(kind, 0) + 1

    def on_background_answered(self, message: Answered) -> None:
        if self.__dict__["_tickets"][message.kind] == message.ticket:
            message.use()
