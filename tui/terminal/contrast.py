"""Contrast of colours, and a filter that keeps what is written readable."""

from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

__all__ = ["MARKS", "TEXT", "Legible", "contrast", "legible"]

TEXT, MARKS = 4.5, 3.0
"""Least contrast of text and of marks to what is behind them (WCAG 2.2, 1.4.3 and 1.4.11)."""
QUIET = {*map(chr, range(0x2500, 0x2580)), "▏", "▀"} - {"━"}
"""Lines and frames, which are quiet on purpose, and the pixels of pictures; a heavy line stands for a curve."""
STEPS = 40
BLACK, WHITE = Color(0, 0, 0), Color(255, 255, 255)


def contrast(one: Color, other: Color) -> float:
    """Return the contrast ratio of two opaque colours as WCAG 2.2 defines it: 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@lru_cache(maxsize=4096)
def legible(color: Color, background: Color, least: float) -> Color:
    """Return a colour with enough contrast: itself, or mixed with black or white as little as it takes."""
    end = max(BLACK, WHITE, key=lambda each: contrast(each, background))
    mixed = (color.blend(end, step / STEPS) for step in range(STEPS + 1))
    return next((each for each in mixed if contrast(each, background) >= least), end)


class Legible(LineFilter):
    """Gives text enough contrast, and marks in colour, also where they are faded, on a selection or colours of data."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments with other colours where they were too pale."""
        return [
            Segment(text, _styled(style, background, least), None)
            if style is not None and style.color is not None and (least := _least(text))
            else Segment(text, style, control)
            for text, style, control in segments
        ]


@lru_cache(maxsize=4096)
def _least(text: str) -> float:
    """Return the contrast that a text or mark needs; 0 for blanks, frames and pixels."""
    if any(character.isalnum() for character in text):
        return TEXT
    return 0.0 if all(character.isspace() or character in QUIET for character in text) else MARKS


@lru_cache(maxsize=4096)
def _styled(style: Style, background: Color, least: float) -> Style:
    if style.color is None:
        return style
    behind = background if style.bgcolor is None else Color.from_rich_color(style.bgcolor)
    return style + Style(color=legible(Color.from_rich_color(style.color), behind, least).rich_color)


def _luminance(color: Color) -> float:
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in color.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
