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

if TYPE_CHECKING:
    from textual_image.widget import SixelImage, TGPImage

__all__ = ["ask_for_graphics", "image_widget"]

ANSWER_SECONDS = 0.25
# A picture of one pixel to try (kitty's protocol), then the question which every terminal answers: what are you?
QUESTION = "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[c"
ATTRIBUTES = re.compile(rb"\x1b\[\?([\d;]*)c")
SIXEL = b"4"
SILENT = ("dumb", "linux")

image_widget: "type[SixelImage | TGPImage] | None" = None
"""The class of textual-image's widget that this terminal can show; None means half blocks."""


def ask_for_graphics(meanwhile: Callable[[], object] = lambda: None) -> None:
    """Ask the terminal whether it has graphics. To be called once, before an app reads its input.

    A terminal that does not answer in time gets half blocks.

    Args:
        meanwhile: called while waiting for the terminal's answer.
    """
    global image_widget
    if os.environ.get("TERM", "dumb") in SILENT or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return
    answer = _ask(meanwhile)
    attributes = ATTRIBUTES.search(answer)
    sixel = attributes is not None and SIXEL in attributes.group(1).split(b";")
    if not sixel and b";OK\x1b\\" not in answer:
        return
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
