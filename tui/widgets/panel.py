"""A container with a thin round border whose title is plain text."""

from textual.containers import Container
from textual.content import Content

from tui.text import clean

__all__ = ["Panel", "legend"]


class Panel(Container):
    """A round border in a quiet colour: the title at the left, the number that matters at the lower right.

    Set ``border_title`` and ``border_subtitle`` as on any widget. A ``str`` is shown as it is written: never
    parsed as markup, control characters made visible. A ``Content``, as ``legend`` makes, keeps its colours.
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
