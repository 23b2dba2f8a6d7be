"""The page as HTML: a template that makes every text printable and escapes it, wherever it comes from."""

import base64
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Template

__all__ = ["POLICY", "Figure", "Table", "page", "shown"]

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""What the page may load: nothing but the pictures and the styles inside it."""


@dataclass(frozen=True)
class Figure:
    """An image inside the page.

    Attributes:
        kind: ``svg+xml`` or ``png``. As an image, an SVG can neither run nor load anything.
        description: for those who do not see it. caption: under it.
    """

    data: bytes
    kind: str
    description: str
    caption: str = ""

    @property
    def source(self) -> str:
        """The image as a URL that needs no file."""
        return f"data:image/{self.kind};base64,{base64.b64encode(self.data).decode()}"


@dataclass(frozen=True)
class Table:
    """A table of texts.

    Attributes:
        rows: cells; one with a line break has its second line small below the first.
        best: row and column of cells to stress.
    """

    head: Sequence[object]
    rows: Sequence[Sequence[object]]
    best: Collection[tuple[int, int]] = ()


def shown(text: object) -> str:
    """Any text with what cannot be printed (control, bidirectional, undecodable) written as its escape."""
    string = str(text)
    if string.isprintable():
        return string
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in string
    )


def page(template: str = "page.html", /, **content: Any) -> str:
    """Fill in a template, which says what it takes."""
    from markupsafe import Markup

    return _template(template).render(policy=POLICY, style=Markup(_file("page.css")), **content)


def _template(name: str) -> "Template":
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from markupsafe import Markup

    def printable(value: object) -> str:
        """Leave what the template itself has made, such as a table, and nothing else, as it is."""
        return value if isinstance(value, Markup) else shown(value)

    def lines(text: str) -> Markup:
        """Keep the line breaks of a text."""
        return Markup("\n").join(map(shown, text.split("\n")))

    environment = Environment(
        autoescape=True,
        finalize=printable,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=FunctionLoader(_file),
    )
    environment.filters["lines"] = lines
    return environment.get_template(name)


def _file(name: str) -> str:
    return files("core.report").joinpath(name).read_text(encoding="utf-8")
