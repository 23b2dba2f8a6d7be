"""Pictures: in the terminal's own graphics (kitty, sixel) where supported, else in half blocks."""

from functools import lru_cache
from typing import Any

import numpy as np
from rich.color import Color
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style
from textual.app import ComposeResult
from textual.strip import Strip
from textual.widget import Widget

from tui.terminal import graphics as terminal_graphics

__all__ = ["Picture", "fitted"]

DENSITY = " ░▒▓█"


def fitted(pixels: np.ndarray, columns: int, rows: int) -> np.ndarray:
    """Scale a picture to fit: repeat each pixel as often as there is room, or average squares of pixels.

    Args:
        pixels: uint8 (h, w) or (h, w, 3).
        columns, rows: cells; one is as wide as a pixel and as tall as two.
    """
    height, width = pixels.shape[:2]
    if width <= columns and height <= 2 * rows:
        repeat = max(1, min(columns // width, 2 * rows // height))
        return pixels.repeat(repeat, axis=0).repeat(repeat, axis=1)
    square = max(-(-width // max(1, columns)), -(-height // max(1, 2 * rows)))
    padding = [(0, -height % square), (0, -width % square), (0, 0)][: pixels.ndim]
    padded = np.pad(pixels, padding, mode="edge")
    blocks = padded.reshape(padded.shape[0] // square, square, padded.shape[1] // square, square, -1)
    means: np.ndarray = blocks.mean(axis=(1, 3)).round().astype(np.uint8)
    return means.reshape(blocks.shape[0], blocks.shape[2], *pixels.shape[2:])


class Picture(Widget):
    """One picture, as large as fits with its proportions kept, at the upper left."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    Picture { width: 1fr; height: 1fr; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._pixels: np.ndarray | None = None

    def compose(self) -> ComposeResult:
        if terminal_graphics.image_widget is not None:
            yield terminal_graphics.image_widget()

    def show(self, pixels: np.ndarray | None) -> None:
        """Show another picture, uint8 (h, w) or (h, w, 3), or none."""
        self._pixels = pixels
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        self.refresh()
        for image in self.children:
            self._send(image)

    def _send(self, image: Any) -> None:
        """Hand the picture to the terminal's graphics, in the cells that half blocks would take.

        Args:
            image: textual-image's widget, which is loaded only where the terminal has graphics.
        """
        from PIL import Image

        size = self.content_size
        if self._pixels is None or not size:
            image.display = False
            return
        blocks = fitted(self._pixels, *size)
        image.display = True
        image.styles.width, image.styles.height = blocks.shape[1], -(-blocks.shape[0] // 2)
        # Enlarged here: the terminal would smooth the pixels away.
        larger = max(1, 256 // max(self._pixels.shape[:2]))
        image.image = Image.fromarray(self._pixels.repeat(larger, axis=0).repeat(larger, axis=1))

    def render_line(self, y: int) -> Strip:
        width, height = self.content_size
        blank = self.rich_style
        if self._pixels is None or self.children or not width:
            return Strip.blank(width, blank)
        blocks = fitted(self._pixels, width, height)
        if 2 * y >= len(blocks):
            return Strip.blank(width, blank)
        upper = blocks[2 * y]
        lower = blocks[2 * y + 1] if 2 * y + 1 < len(blocks) else None
        line = _dense(upper, lower, blank) if self.app.no_color else _coloured(upper, lower, blank)
        return Strip(line).adjust_cell_length(width, blank)


def _coloured(upper: np.ndarray, lower: np.ndarray | None, blank: Style) -> list[Segment]:
    top = _colours(upper)
    if lower is None:
        return [Segment("▀", blank + _style(color)) for color in top]
    return [Segment("▀", _style(a, b)) for a, b in zip(top, _colours(lower), strict=True)]


def _colours(row: np.ndarray) -> list[tuple[int, ...]]:
    values = np.broadcast_to(row[:, None], (len(row), 3)) if row.ndim == 1 else row
    return [*map(tuple, values.tolist())]


@lru_cache(4096)
def _style(colour: tuple[int, ...], below: tuple[int, ...] | None = None) -> Style:
    """Return the style of a cell: a frame draws the cells of the one before again, and neighbours look alike."""
    under = None if below is None else Color.from_triplet(ColorTriplet(*below))
    return Style(color=Color.from_triplet(ColorTriplet(*colour)), bgcolor=under)


def _dense(upper: np.ndarray, lower: np.ndarray | None, blank: Style) -> list[Segment]:
    """Brightness as density of ink, where there is no colour."""
    both = upper[None] if lower is None else np.stack((upper, lower))
    brightness = both.reshape(len(both), len(upper), -1).mean(axis=(0, 2))
    levels = (brightness * len(DENSITY) / 256).astype(int)
    return [Segment("".join(DENSITY[level] for level in levels), blank)]
