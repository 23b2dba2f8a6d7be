"""Checks of what this terminal can show."""

import os
import shutil
import sys
from collections.abc import Iterator

from core.doctor.check import Check
from core.errors import InputError

__all__ = ["check_terminal"]

SMALLEST = (80, 24)
COLOURS = {"truecolor": "16 million", "256": "256", "standard": "16", "windows": "16"}


def check_terminal() -> Iterator[Check]:
    """Check size, colours, characters and pictures; without a terminal, report only that."""
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    unicode = encoding == "utf8"
    advice = "" if unicode else "Set a UTF-8 locale, such as LANG=C.UTF-8"
    yield Check("characters", unicode, sys.stdout.encoding or "unknown", advice)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        yield Check("terminal", True, "not a terminal: tui train --no-ui works, but the app needs one")
        return
    name = os.environ.get("TERM", "")
    known = name not in ("", "dumb")
    yield Check(
        "terminal", known, name or "TERM is not set", "" if known else "Set TERM, such as xterm-256color"
    )
    size = shutil.get_terminal_size()
    large = size.columns >= SMALLEST[0] and size.lines >= SMALLEST[1]
    advice = "" if large else "Make the window 80x24 or larger"
    yield Check("size", large, f"{size.columns}x{size.lines}", advice)
    yield _colours()
    yield _pictures()


def _colours() -> Check:
    from rich.console import Console

    system = Console().color_system
    if "NO_COLOR" in os.environ:
        return Check("colours", True, "none, because NO_COLOR is set")
    if system is None:
        return Check("colours", False, "none", "Set TERM, such as xterm-256color")
    rich = system == "truecolor"
    advice = "" if rich else "If it supports more colors, set COLORTERM=truecolor"
    return Check("colours", True, COLOURS[system], advice)


def _pictures() -> Check:
    from tui.terminal import graphics as terminal_graphics

    try:
        terminal_graphics.ask_for_graphics()
    except InputError as error:
        return Check("pictures", False, error.message, str(error.hint))
    widget = terminal_graphics.image_widget
    if widget is None:
        return Check("pictures", True, "as half blocks")
    from textual_image.widget import SixelImage

    return Check(
        "pictures",
        True,
        "as pixels (Sixel)" if widget is SixelImage else "as pixels (kitty's protocol)",
    )
