"""Styles of the parts of a widget that draws its own lines."""

from rich.style import Style
from textual.widget import Widget

__all__ = ["WidgetOfParts"]


class WidgetOfParts(Widget):
    """Caches the styles of its parts until the theme changes: Textual recomputes them on every refresh.

    Attributes:
        PARTS: prefix of its component classes, ``status`` for ``status--text``.
    """

    PARTS = ""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._styles_of_parts: dict[str, Style] = {}

    def part_style(self, part: str) -> Style:
        """The style of the component class of a part."""
        style = self._styles_of_parts.get(part)
        if style is None:
            style = self._styles_of_parts[part] = self.get_component_rich_style(f"{self.PARTS}--{part}")
        return style

    def notify_style_update(self) -> None:
        self._styles_of_parts.clear()
        super().notify_style_update()
