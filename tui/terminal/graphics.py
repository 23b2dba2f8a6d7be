"""Detection of terminals that show pictures; asked once, before an app reads the answers."""

import io
import os
import re
import select
import sys
import termios
import tty
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from core.errors import InputError

if TYPE_CHECKING:
    from textual_image.widget import SixelImage, TGPImage

__all__ = ["ask_for_graphics", "image_widget"]

ANSWER_SECONDS = 0.25
# A picture of one pixel to try (kitty's protocol), then the question which every terminal answers: what are you?
QUESTION = "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[c"
ATTRIBUTES = re.compile(rb"\x1b\[\?([\d;]*)c")
SIXEL = b"4"
SILENT = ("dumb", "linux")
GRAPHICS = ("blocks", "kitty", "sixel")

image_widget: "type[SixelImage | TGPImage] | None" = None
"""The class of textual-image's widget that this terminal can show; None means half blocks."""


def ask_for_graphics(meanwhile: Callable[[], object] = lambda: None) -> None:
    """Ask the terminal whether it has graphics. To be called once, before an app reads its input.

    A terminal that does not answer in time gets half blocks. ``TUI_GRAPHICS`` says what to use without asking; kitty's
    protocol and sixel count only where the terminal itself is reached: tmux and screen are asked all the same.

    Args:
        meanwhile: called while waiting for the terminal's answer.

    Raises:
        InputError: ``TUI_GRAPHICS`` is none of the three.
    """
    wanted = _wanted()
    if os.environ.get("TERM", "dumb") in SILENT or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return
    if wanted == "blocks" or os.environ.get("NO_COLOR"):
        return
    if wanted and not _is_inside_another():
        _use(sixel=wanted == "sixel")
        return
    answer = _ask(meanwhile)
    attributes = ATTRIBUTES.search(answer)
    sixel = attributes is not None and SIXEL in attributes.group(1).split(b";")
    if sixel or b";OK\x1b\\" in answer:
        _use(sixel=sixel)


def _wanted() -> str:
    """Return what ``TUI_GRAPHICS`` says; empty where it says nothing.

    Raises:
        InputError: it is none of the three.
    """
    wanted = os.environ.get("TUI_GRAPHICS", "").lower()
    if wanted not in ("", *GRAPHICS):
        raise InputError(f"TUI_GRAPHICS: got {wanted!r:.40}", f"It takes {', '.join(GRAPHICS)}")
    return wanted


def _is_inside_another() -> bool:
    """Return whether tmux or screen is between the app and the terminal: what they do not know becomes garbage."""
    return "TMUX" in os.environ or os.environ.get("TERM", "").startswith(("tmux", "screen"))


def _use(*, sixel: bool) -> None:
    """Load the widget of textual-image, where the package is there."""
    global image_widget
    if find_spec("textual_image") is None:  # left out by whoever hands this on without it
        return
    # textual-image asks again on first import, but not where there is no terminal.
    terminal, nobody = sys.__stdout__, io.TextIOWrapper(io.BytesIO())
    sys.__stdout__ = nobody  # type: ignore[misc]  # typed as final; put back at once
    try:
        import_module("textual_image.renderable")
    finally:
        sys.__stdout__ = terminal  # type: ignore[misc]  # as above
    from textual_image.widget import SixelImage, TGPImage

    if (
        not sixel
    ):  # where a picture stands is told by cells in 24-bit colours, which ssh does not pass on that there are
        os.environ["COLORTERM"] = "truecolor"
    # Sixel first: some terminals (Konsole, WezTerm) know kitty's protocol, but not the placeholders used here.
    image_widget = SixelImage if sixel else TGPImage


def _ask(meanwhile: Callable[[], object]) -> bytes:
    """Ask the terminal, and return its answer."""
    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    tty.setcbreak(keyboard, termios.TCSANOW)
    answer = b""
    try:
        sys.stdout.write(QUESTION)
        sys.stdout.flush()
        meanwhile()
        while not ATTRIBUTES.search(answer) and select.select([keyboard], [], [], ANSWER_SECONDS)[0]:
            answer += os.read(keyboard, 1024)
    finally:
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)
    return answer
