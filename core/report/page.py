"""HTML of the page: every text is escaped here, and nowhere else is a tag written around one."""

import base64
from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files

__all__ = ["details", "element", "page", "picture", "shown", "table"]

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""What the page may load: nothing but the pictures and the styles inside it."""


def shown(text: object) -> str:
    """Any text with what cannot be printed (control, bidirectional, undecodable) written as its escape."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in str(text)
    )


def element(tag: str, text: object, style: str = "") -> str:
    """A text in a tag, made harmless; lines of a ``pre`` stay lines."""
    lines = str(text).split("\n") if tag == "pre" else [str(text)]
    body = "\n".join(escape(shown(line)) for line in lines)
    opening = f'{tag} class="{style}"' if style else tag
    return f"<{opening}>{body}</{tag}>"


def table(
    head: Sequence[object], rows: Iterable[Sequence[object]], best: Iterable[tuple[int, int]] = ()
) -> str:
    """A table of texts.

    Args:
        rows: cells; one with a line break has its second line small below the first.
        best: row and column of cells to stress.
    """
    marked = set(best)
    lines = []
    for at, row in enumerate(rows):
        cells = [_cell(text, (at, column) in marked) for column, text in enumerate(row)]
        lines.append(f"<tr>{''.join(cells)}</tr>")
    titles = "".join(element("th", title) for title in head)
    return f'<div class="scroll"><table><thead><tr>{titles}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>'


def _cell(text: object, best: bool) -> str:
    first, _, second = str(text).partition("\n")
    small = element("small", second) if second else ""
    opening = 'td class="best"' if best else "td"
    return f"<{opening}>{escape(shown(first))}{small}</td>"


def picture(data: bytes, kind: str, description: str, caption: str = "") -> str:
    """An image inside the page.

    Args:
        kind: ``svg+xml`` or ``png``. As an image, an SVG can neither run nor load anything.
        description: for those who do not see it. caption: under it.
    """
    source = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    under = element("figcaption", caption) if caption else ""
    return f'<figure><img alt="{escape(shown(description))}" src="{source}">{under}</figure>'


def details(title: str, *parts: str) -> str:
    """Parts behind a title that opens and closes them."""
    return f"<details open>{element('summary', title)}{''.join(parts)}</details>"


def page(title: str, parts: Sequence[str]) -> str:
    """The whole page."""
    style = files("core.report").joinpath("page.css").read_text(encoding="utf-8")
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"{element('title', title)}<style>{style}</style></head><body><main>\n"
        + "\n".join(parts)
        + "\n</main></body></html>\n"
    )
