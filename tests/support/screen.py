"""Text of the screens of an app."""

from typing import Any

from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from textual.app import App
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from tests.support.narrow import instance, some
from tui.screens.dialogs import Ask

__all__ = ["background", "foreground", "lines", "plain", "question", "rendered", "screen_text"]


def screen_text(app: App[Any]) -> str:
    """Return what the whole screen shows."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in line) for line in strips)


def lines(widget: Widget) -> list[str]:
    """Return what a widget shows, line by line."""
    return [strip.text for strip in widget.render_lines(widget.size.region)]


def rendered(widget: Widget) -> str:
    """Return the text that a widget draws without its styles."""
    return instance(Content, widget.render()).plain


def foreground(segment: Segment) -> ColorTriplet:
    """Return the colour of the text of a segment."""
    return some(some(some(segment.style).color).triplet)


def background(segment: Segment) -> ColorTriplet:
    """Return the colour behind a segment."""
    return some(some(some(segment.style).bgcolor).triplet)


def question(app: App[Any]) -> str:
    """Return what the dialog on the screen asks."""
    return instance(Ask, app.screen).question


def plain(static: Static) -> str:
    """Return the text of a static widget without its styles."""
    assert isinstance(static.content, str | Content)
    return static.content.plain if isinstance(static.content, Content) else static.content
