"""A container with a thin round border whose title is plain text."""

from typing import Any, Self

from textual import on
from textual.containers import Container
from textual.content import Content
from textual.events import DescendantBlur, DescendantFocus
from textual.geometry import Region
from textual.widget import Widget

from tui.terminal.text import clean

__all__ = ["Panel", "legend"]


class _Title:
    """A title in the border. A new one redraws its line only, not the panel: some change with every frame."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name, self._usual = name, vars(Widget)[name]

    def __get__(self, panel: "Panel", owner: type | None = None) -> Any:
        return self._usual.__get__(panel, owner)

    def __set__(self, panel: "Panel", title: str | Content | None) -> None:
        if title == panel.titles.get(self._name):
            return
        panel.titles[self._name] = title
        panel.changed_line = 0 if self._name == "border_title" else panel.outer_size.height - 1
        self._usual.__set__(panel, title)
        panel.changed_line = None


class Panel(Container):
    """A round border in a muted colour: the title on the left, the key figure at the lower right.

    Set ``border_title`` and ``border_subtitle`` as on any widget. A ``str`` is shown literally: never parsed
    as markup, control characters made visible. A ``Content``, as ``legend`` makes, keeps its colours.
    """

    DEFAULT_CSS = """
    Panel {
        border: round $foreground 25%;
        border-title-color: $foreground;
        border-subtitle-color: $text-muted;
        border-subtitle-align: right;
        padding: 0 1;
    }
    """

    HAS_FOCUS = "-focused"
    """Class of a panel with the focus. The pseudo-class of CSS styles all that is in it with every field one enters."""

    border_title: Any = _Title()
    border_subtitle: Any = _Title()

    def __init__(self, *children: Widget, **options: Any) -> None:
        self.titles: dict[str, str | Content | None] = {}
        self.changed_line: int | None = None
        super().__init__(*children, **options)

    @on(DescendantFocus)
    @on(DescendantBlur)
    def _focus_moved(self) -> None:
        self.set_class(self.has_focus_within, self.HAS_FOCUS)

    def refresh(self, *regions: Region, **options: bool) -> Self:
        """See `Widget.refresh`; while a title is set, its line alone."""
        if self.changed_line is not None and self.outer_size:
            left, top = self.content_offset
            regions = (Region(-left, self.changed_line - top, self.outer_size.width, 1),)
        return super().refresh(*regions, **options)

    def render_str(self, text_content: str | Content) -> Content:
        return text_content if isinstance(text_content, Content) else Content(clean(text_content))


def legend(title: str, **colours: str) -> Content:
    """A title followed by a coloured dash and a name for each curve: ``loss  ━ train  ━ validation``.

    Args:
        title: plain text.
        colours: name of the curve -> a colour or a theme variable such as ``$primary``.
    """
    dashes = [part for name, colour in colours.items() for part in ("  ", ("━", colour), f" {clean(name)}")]
    return Content.assemble(clean(title), *dashes)
