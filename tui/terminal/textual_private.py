"""Private parts of Textual. Without any of them the app works the same, but is slower or less tidy.

Tests named after the functions here fail when a version of Textual changes what they use.
"""

import time
import traceback
from asyncio import Event, sleep
from collections import deque
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from textual.app import App, ScreenStackError
from textual.css.query import NoMatches
from textual.events import MouseEvent
from textual.geometry import Region, Size
from textual.message import Message
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import MountError, Widget
from textual.worker import WorkerFailed

__all__ = [
    "FrameTimer",
    "LenientApp",
    "restyle_before_layout",
    "use_frugal_compositor",
    "write_to_terminal",
]


class LenientApp(App[None]):
    """An app that quits quietly, and that a handler which raises does not end.

    When the app quits while a screen is composed or a key is handled, what they use disappears. Textual then
    shows a traceback, and has no public way to suppress it. Without `_handle_exception` that traceback is shown;
    without `_exit` it is shown in the moment before the app stops running.
    """

    def __init__(self) -> None:
        outlive_faults()
        paint_at_once()
        lay_out_once()
        look_up_rules_at_once()
        super().__init__()

    def survives(self, error: Exception) -> bool:
        """Return whether the app goes on after a handler raised; a subclass shows it to the user."""
        return False

    def _handle_exception(self, error: Exception) -> None:
        quitting = getattr(self, "_exit", False) or is_late_work(error)
        if quitting or (not self.is_running and isinstance(error, (NoMatches, MountError, ScreenStackError))):
            return
        if not (self.is_running and self.survives(error)):
            super()._handle_exception(error)
        elif self.is_headless and getattr(self, "_exception", error) is None:
            self._exception = error  # a test that drives the app fails at its end


def is_late_press(message: Message, error: Exception) -> bool:
    """Return whether Textual itself failed on a press of the mouse: what was drawn there has been replaced since."""
    *_, last = traceback.walk_tb(error.__traceback__)
    return isinstance(message, MouseEvent) and last[0].f_globals.get("__name__", "").startswith("textual.")


def is_early_page(error: Exception) -> bool:
    """Return whether Textual itself failed on a page key: the list, such as of the palette, is not laid out yet."""
    *_, last = traceback.walk_tb(error.__traceback__)
    return isinstance(error, KeyError) and last[0].f_code.co_name == "_move_page"


def is_late_work(error: Exception) -> bool:
    """Return whether a worker of Textual missed a widget of its own: its screen, such as the palette, is closed."""
    if not (isinstance(error, WorkerFailed) and isinstance(error.error, NoMatches)):
        return False
    frames = traceback.walk_tb(error.error.__traceback__)
    return all(frame.f_globals.get("__name__", "").startswith("textual.") for frame, _ in frames)


@cache
def outlive_faults() -> None:
    """Let widgets, screens and the app itself receive their next message after a handler raised.

    Textual stops delivering messages to whatever has raised. Without `_dispatch_message` it does so here too: a
    screen with a fault then takes no keys, and another one must be opened.
    """
    dispatch = getattr(MessagePump, "_dispatch_message", None)
    if dispatch is None:
        return

    async def deliver(pump: MessagePump, message: Message) -> None:
        try:
            await dispatch(pump, message)
        except Exception as error:
            if not isinstance(pump.app, LenientApp):
                raise
            if not (is_late_press(message, error) or is_early_page(error)):
                pump.app._handle_exception(error)

    setattr(MessagePump, "_dispatch_message", deliver)  # noqa: B010  # typed as a method


FRAME_SECONDS = 1 / 60


class FrameTimer(Timer):
    """Paints a screen when it has changed: two frames at once, and 60 a second in the long run."""

    async def _run(self) -> None:
        painted = deque([-FRAME_SECONDS, -FRAME_SECONDS], maxlen=2)
        active: Event = self._active
        while True:
            await active.wait()
            await sleep(max(0.0, painted[0] + 2 * FRAME_SECONDS - time.monotonic()))
            painted.append(time.monotonic())
            await self._tick(next_timer=painted[-1], count=1)


@cache
def paint_at_once() -> None:
    """Let a screen paint the second frame after a key without a wait.

    What a key does often comes in two frames: what had the focus, then what shows where it is. Textual paints the first
    at once and the second after 17 to 33 ms. Without `_update_timer` it does so here too.
    """
    if not all(hasattr(Screen, part) for part in ("_update_timer", "_on_timer_update")):
        return

    def timer_of(screen: Screen[Any]) -> Timer:
        timer = vars(screen).get("frame_timer")
        if timer is None:
            timer = FrameTimer(screen, FRAME_SECONDS, callback=screen._on_timer_update, pause=True)
            timer._start()
            screen._timers.add(timer)
            vars(screen)["frame_timer"] = timer
        return timer

    setattr(Screen, "_update_timer", property(timer_of))  # noqa: B010  # typed as its own


@cache
def lay_out_once() -> None:
    """Let a widget that a layout has given another size ask for no further layout because of it.

    Textual lays out everything once more, and draws it all, since the room for what a widget scrolls has changed with
    its size. A scrollbar that comes or goes asks for a layout of its own. What is shown for the first time may be drawn
    only then, so it keeps its second layout. Without `_size_updated` all do.
    """
    usual = getattr(Widget, "_size_updated", None)
    if usual is None:
        return

    def updated(widget: Widget, size: Size, room: Size, container: Size, layout: bool = True) -> bool:
        return bool(usual(widget, size, room, container, layout and not widget.outer_size))

    setattr(Widget, "_size_updated", updated)  # noqa: B010  # typed as its own


@cache
def look_up_rules_at_once() -> None:
    """Let the rules of the style sheet be found in sets by their identity without a call of Python for each.

    Textual looks for every rule in a set whenever it styles a widget. Its own hash is the identity, too.
    """
    try:
        from textual.css.model import RuleSet
    except ImportError:
        return
    setattr(RuleSet, "__hash__", object.__hash__)  # noqa: B010  # typed as its own


def restyle_before_layout(screen: Screen[Any]) -> None:
    """Style a screen whose classes have changed, right before all of it is laid out and drawn anew.

    Its widgets then need not ask for a layout and for being drawn themselves. Where Textual keeps that differently than
    expected here, they do.
    """
    screen.app.stylesheet.update(screen)
    if not all(hasattr(Widget, part) for part in ("_clear_arrangement_cache", "_exchange_repaint_regions")):
        return
    for widget in screen.walk_children(Widget, with_self=True):
        widget._clear_arrangement_cache()
        widget._exchange_repaint_regions()
        widget._layout_updates += 1
        widget._layout_required = widget._repaint_required = False


def write_to_terminal(app: App[Any], text: str) -> bool:
    """Write control sequences, such as the title of the window, between the frames of an app.

    Only the driver writes without tearing a frame apart, and it has no public name.

    Returns:
        False if nothing was written: the app has no driver, or none that can be found.
    """
    driver = getattr(app, "_driver", None)
    if driver is None:
        return False
    driver.write(text)
    return True


def use_frugal_compositor(screen: Screen[Any]) -> None:
    """Let a screen ask only the widgets that a change touches for their lines.

    Textual's own compositor asks every widget whose container is touched: nearly all, in every frame. Where it
    works differently than expected here, it is left unchanged.
    """
    kind = _frugal_compositor()
    if kind is not None and type(getattr(screen, "_compositor", None)) is kind.__base__:
        screen._compositor = kind()


@cache
def _frugal_compositor() -> type[Any] | None:
    try:
        from textual._compositor import Compositor
    except ImportError:
        return None
    if not all(hasattr(Compositor, part) for part in ("_get_renders", "_render_chops", "visible_widgets")):
        return None

    class FrugalCompositor(Compositor):
        wanted: Callable[[int], bool] = staticmethod(lambda y: True)
        """Which lines of the screen are drawn: what changes far apart has a crop that holds all between, too."""

        def _render_chops(self, crop: Region, is_rendered_line: Callable[[int], bool]) -> Any:
            self.wanted = is_rendered_line
            return super()._render_chops(crop, is_rendered_line)

        def _get_renders(self, crop: Region | None = None) -> Iterable[tuple[Region, Region, list[Strip]]]:
            for widget, (region, clip) in self.visible_widgets.items():
                seen = region.intersection(clip)
                if seen and (crop is None or crop.overlaps(seen)) and any(map(self.wanted, seen.line_range)):
                    yield region, clip, lines_of(widget, seen.translate(-region.offset))

    return FrugalCompositor


def lines_of(widget: Widget, crop: Region) -> list[Strip]:
    """Return the lines of a widget; empty ones where it fails to draw them, as the rest of the screen is drawn."""
    try:
        return widget.render_lines(crop)
    except Exception as error:
        if not isinstance(widget.app, LenientApp):
            raise
        widget.app._handle_exception(error)
        return [Strip.blank(crop.width)] * crop.height
