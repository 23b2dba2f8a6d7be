"""A slider over the steps of one name, for mouse and keys."""

from dataclasses import dataclass

from rich.cells import cell_len
from textual.content import Content
from textual.events import MouseDown, MouseMove, MouseUp
from textual.message import Message
from textual.widget import Widget

from tui.terminal.text import count

__all__ = ["StepSlider"]


class StepSlider(Widget):
    """One line: the step, a rail with a knob, and the place among all."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    StepSlider { height: 1; width: 1fr; }
    """

    @dataclass
    class Moved(Message):
        """The knob was moved to a place."""

        place: int

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._text, self._place, self._number = "", 0, 0

    def show(self, text: str, place: int, number: int) -> None:
        """Show the place among a number of steps.

        Args:
            text: such as ``step 12``; plain.
        """
        if (text, place, number) != (self._text, self._place, self._number):
            self._text, self._place, self._number = text, place, number
            self.refresh()

    def render(self) -> Content:
        start, length, of = self._rail()
        knob = round(self._place / max(1, self._number - 1) * (length - 1))
        parts = ["━" * knob, "●", "─" * (length - 1 - knob)] if length > 0 else ["", "", ""]
        return Content.assemble(
            self._text.ljust(start),
            (parts[0], "$primary"),
            (parts[1], "$accent"),
            (parts[2], "$foreground 40%"),
            of,
        )

    def _rail(self) -> tuple[int, int, str]:
        """Where the rail starts and how long it is, and what is written behind it."""
        of = f"  {count(self._place + 1)} of {count(self._number)}"
        start = cell_len(self._text) + 2
        return start, self.size.width - start - len(of), of

    def on_mouse_down(self, event: MouseDown) -> None:
        self.capture_mouse()
        self._move_to(event.x)

    def on_mouse_move(self, event: MouseMove) -> None:
        if self.app.mouse_captured is self:
            self._move_to(event.x)

    def on_mouse_up(self, event: MouseUp) -> None:
        self.release_mouse()

    def _move_to(self, x: int) -> None:
        start, length, _ = self._rail()
        if length > 1 and self._number:
            share = min(max((x - start) / (length - 1), 0.0), 1.0)
            place = round(share * (self._number - 1))
            if place != self._place:
                self.post_message(self.Moved(place))
