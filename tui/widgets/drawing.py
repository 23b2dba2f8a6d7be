"""A widget that shows what a function draws for its width."""

from collections.abc import Callable

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

__all__ = ["Draw", "Drawing"]

Draw = Callable[[int], Content]
"""Function of a width in cells that returns lines no wider than that."""


class Drawing(Widget):
    """A drawing as tall as its content; hidden while there is nothing to draw."""

    DEFAULT_CSS = """
    Drawing { height: auto; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._draw: Draw | None = None
        self._drawn: tuple[int, Content] = (-1, Content())
        self.display = False

    def show(self, draw: Draw | None) -> None:
        """Show another drawing, or none."""
        self._draw = draw
        self._drawn = (-1, Content())
        self.display = draw is not None
        self.refresh(layout=True)

    def render(self) -> Content:
        return self._at(self.content_size.width)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return self._at(width).plain.count("\n") + 1

    def _at(self, width: int) -> Content:
        if self._draw is not None and self._drawn[0] != width:
            self._drawn = (width, self._draw(width))
        return self._drawn[1]
