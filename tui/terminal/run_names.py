"""The name of a run where there is little room."""

from rich.cells import cell_len

from core.runs.folder import NAME
from core.runs.summary import RunSummary
from tui.terminal.text import clean, fit

__all__ = ["short_name"]


def short_name(summary: RunSummary, width: int = 0, *, is_shared: bool = False) -> str:
    """Return what a run is called, whole where it fits; else cut, with the last letters of its id, which tell it apart.

    Args:
        is_shared: whether another run is called so, too: the letters then stand behind the name.
    """
    title, letters = summary.title, _letters(summary.run.id)
    if not letters:
        return title
    unlettered = title.removesuffix(f"_{letters}")
    if is_shared and unlettered == title:
        title = f"{title} {letters}"
    if cell_len(clean(title)) <= width:
        return title
    room = width - len(letters) - 1
    return f"{fit(unlettered, room).rstrip()} {letters}" if room > SHORTEST else letters


SHORTEST = 3
"""Cells of a name that say nothing."""


def _letters(name: str) -> str:
    return name.rpartition("_")[2] if NAME.match(name.removeprefix("study_")) else ""
