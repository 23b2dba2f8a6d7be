"""The name of a run where there is little room."""

from rich.cells import cell_len

from core.runs.folder import NAME
from core.runs.summary import RunSummary
from tui.terminal.text import clean

__all__ = ["short_name"]


def short_name(summary: RunSummary, width: int = 0) -> str:
    """Return the whole id where it fits, else without its date, else the last letters, which name the run as well."""
    name = summary.run.id
    if not NAME.match(name) or cell_len(clean(name)) <= width:
        return name
    undated = name.split("_", 2)[2]
    return undated if cell_len(clean(undated)) <= width else undated.rpartition("_")[2]
