"""The title of the terminal's window, which is given back at the end."""

from tui.terminal.text import clean

__all__ = ["BELL", "GIVE_BACK", "KEEP", "titled"]

BELL = "\a"
KEEP, GIVE_BACK = "\x1b[22;2t", "\x1b[23;2t"
"""Put the present title on the terminal's stack, and take it from there."""


def titled(text: str) -> str:
    """Return the control sequence that sets the title."""
    return f"\x1b]2;{clean(text)}\x07"
