"""List of the displayed runs: all runs, filtered and sorted."""

from collections.abc import Mapping

from rich.cells import cell_len

from core.runs.query.language import Query
from core.runs.summary import RunSummary, began
from tui.terminal.run_names import short_name
from tui.terminal.text import clean
from tui.widgets.runs_columns import COLUMNS

__all__ = ["RunList"]


class RunList:
    """All runs known so far, filtered and sorted; runs without a value of the column stand last.

    Attributes:
        all: by id. column: name of the one that sorts. falling: whether its largest value comes first.
        name_width: cells of the longest short name so far.
    """

    def __init__(self) -> None:
        self.all: dict[str, RunSummary] = {}
        self.query = Query()
        self.column = "age"
        self.falling = False
        self.name_width = 0
        self._matching: dict[str, RunSummary] = {}

    def apply(self, changes: Mapping[str, RunSummary | None]) -> None:
        """Add new and changed runs, and remove those that are gone (None)."""
        for name, summary in changes.items():
            self._matching.pop(name, None)
            if summary is None:
                self.all.pop(name, None)
                continue
            self.all[name] = summary
            self.name_width = max(self.name_width, cell_len(clean(short_name(summary))))
            if self.query.matches(summary):
                self._matching[name] = summary

    def filter(self, query: Query) -> None:
        """Show the runs that match, from now on."""
        self.query = query
        self._matching = {name: summary for name, summary in self.all.items() if query.matches(summary)}

    def any_match(self, query: Query) -> bool:
        """Return whether any run matches a query."""
        return any(query.matches(summary) for summary in self.all.values())

    def sort(self, column: str, falling: bool | None = None) -> None:
        """Sort by a column, in the direction that puts the best or newest first, or in the given one."""
        self.column = column
        self.falling = COLUMNS[column].falling if falling is None else falling

    def rows(self) -> list[RunSummary]:
        """Return the displayed runs in order; equal runs newest first."""
        newest_first = sorted(
            self._matching.values(), key=lambda summary: began(summary) or 0.0, reverse=True
        )
        value = COLUMNS[self.column].value
        keyed = [(value(summary), summary) for summary in newest_first]
        known = [pair for pair in keyed if pair[0] is not None]
        known.sort(key=lambda pair: pair[0], reverse=self.falling)
        return [summary for _, summary in known] + [summary for key, summary in keyed if key is None]
