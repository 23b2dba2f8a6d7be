"""Keys and clicks in the order in which they came: each waits for what the one before it has done.

Textual sends a key to the widget that has the focus when the key arrives. Keys that arrive in one burst (a paste
without brackets, a slow connection, a busy machine) would all go to the widget that has it before the first is handled:
of ``/c`` the ``c`` would be a command rather than the first letter of a filter.
"""

import time
from collections import deque

from textual import events
from textual.errors import NoWidget
from textual.message import Message
from textual.message_pump import MessagePump

from tui.terminal.textual_private import LenientApp

__all__ = ["OrderedInput"]

LOST_SECONDS = 1.0
"""After which a key is taken as handled whose widget is gone."""
AT_ONCE = "ctrl+q"
"""The key that quits, which never waits."""


class Handled(Message):
    """Follows a key or a click through the same queues, and reaches the app when all have handled it.

    Args:
        target: widget that handles it first.
        again: send it once more, after what the widget has posted itself, such as that a button was pressed.
    """

    def __init__(self, target: MessagePump, *, again: bool = True) -> None:
        super().__init__()
        self.target, self.again = target, again


class OrderedInput(LenientApp):
    """An app that handles one key or click after another.

    Attributes:
        last_input: when a key was pressed or the mouse moved, in seconds of `time.monotonic`.
    """

    def __init__(self) -> None:
        super().__init__()
        self._waiting: deque[events.Event] = deque()
        self._under_way: float | None = None  # since when
        self._is_held = False
        self.last_input = time.monotonic()

    async def on_event(self, event: events.Event) -> None:
        """Handle an event; input waits while earlier input is under way."""
        if isinstance(event, events.InputEvent):
            self.last_input = time.monotonic()
        ordered = isinstance(event, (events.Key, events.Paste, events.MouseDown, events.MouseUp))
        at_once = isinstance(event, events.Key) and event.key == AT_ONCE and self._is_held
        if not ordered or event.is_forwarded or at_once:
            await super().on_event(event)
        elif self._under_way is None and not self._waiting and not self._is_held:
            await self._handle(event)
        else:
            self._waiting.append(event)
            self.set_timer(LOST_SECONDS, self._give_up)

    def hold_input(self) -> None:
        """Let keys and clicks wait until `release_input`: what they are meant for is not there yet."""
        self._is_held = True

    async def release_input(self) -> None:
        """Handle the keys and clicks that have waited."""
        self._is_held = False
        if self._under_way is None:
            await self._go_on()

    async def _handle(self, event: events.Event) -> None:
        self._under_way = time.monotonic()
        if self.focused is not None and not self.focused.is_attached:  # it is being removed
            self.screen.set_focus(None)
        target = self._target_of(event)
        await super().on_event(event)
        self._expect(Handled(target))

    def _expect(self, handled: Handled) -> None:
        if not handled.target.post_message(handled):  # it is closing
            self.call_later(self._go_on)

    def _target_of(self, event: events.Event) -> MessagePump:
        """Return the widget that handles an event first."""
        if isinstance(event, events.MouseEvent):
            try:
                return self.get_widget_at(event.x, event.y)[0]
            except NoWidget:
                return self.screen
        return self.focused or self.screen

    def on_handled(self, event: Handled) -> None:
        event.stop()
        if event.again:
            self._expect(Handled(event.target, again=False))
        else:
            self.call_later(self._go_on)  # after a change of the focus, which is put off in the same way

    async def _go_on(self) -> None:
        self._under_way = None
        if self._waiting and self.is_running:
            await self._handle(self._waiting.popleft())

    async def _give_up(self) -> None:
        """Go on where nothing tells that a key was handled: its widget was removed meanwhile."""
        if self._under_way is not None and time.monotonic() - self._under_way >= LOST_SECONDS:
            await self._go_on()
