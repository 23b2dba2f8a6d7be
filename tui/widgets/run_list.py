"""List of the displayed runs: all runs, filtered and sorted."""

from collections import Counter
from collections.abc import Mapping, Sequence

from core.runs.query.language import Query
from core.runs.query.unopened import unopened_note
from core.runs.summary import RunSummary, began
from core.tuning.listed import StudySummary
from tui.widgets.runs_columns import COLUMNS, Column, column_of, columns_of, widths_of

__all__ = ["RunList"]


class RunList:
    """All runs known so far, filtered and sorted; runs without a value of the column stand last.

    Attributes:
        all: by id. column: name of the one that sorts. falling: whether its largest value comes first.
        chosen: columns that the user wants to see; the usual ones where it is empty.
        widths: cells of the longest text so far, by the names of the columns that grow.
        titles: how many runs are called the same.
        studies, trials: by name; the trials of those that were opened alone, which is what `opened` names.
    """

    def __init__(self) -> None:
        self.all: dict[str, RunSummary] = {}
        self.query = Query()
        self.column = "age"
        self.falling = False
        self.chosen: tuple[Column, ...] = ()
        self.widths: dict[str, int] = {}
        self.titles = Counter[str]()
        self.studies: dict[str, StudySummary] = {}
        self.trials: dict[str, dict[str, RunSummary]] = {}
        self.opened: set[str] = set()
        self._matching: dict[str, RunSummary] = {}

    def apply(self, changes: Mapping[str, RunSummary | None]) -> None:
        """Add new and changed runs, and remove those that are gone (None)."""
        for name, summary in changes.items():
            self._matching.pop(name, None)
            before = self.all.pop(name, None)
            if before is not None:
                self.titles[before.title] -= 1
            if summary is None:
                continue
            self.all[name] = summary
            self.titles[summary.title] += 1
            self._measure(summary)
            if self.query.matches(summary):
                self._matching[name] = summary

    def choose(self, names: Sequence[str]) -> None:
        """Show columns of these names, or the usual ones."""
        self.chosen, self.widths = columns_of(names), {}
        for summary in self.all.values():
            self._measure(summary)

    def _measure(self, summary: RunSummary) -> None:
        for name, width in widths_of(self.chosen or COLUMNS.values(), summary).items():
            if width > self.widths.get(name, 0):
                self.widths[name] = width

    def filter(self, query: Query) -> None:
        """Show the runs that match, from now on."""
        self.query = query
        self._matching = {name: summary for name, summary in self.all.items() if query.matches(summary)}

    @property
    def unopened(self) -> str:
        """That test numbers are taken as missing, if the filter, the order or a chosen column asks for them."""
        names = (*self.query.names, self.column, *(column.name for column in self.chosen))
        return unopened_note(names, self.all.values())

    def any_match(self, query: Query) -> bool:
        """Return whether any run or study matches a query."""
        return any(query.matches(summary) for summary in (*self.all.values(), *self.studies.values()))

    def sort(self, column: str, falling: bool | None = None) -> None:
        """Sort by a column, in the direction that puts the best or newest first, or in the given one."""
        self.column = column
        self.falling = column_of(column).falling if falling is None else falling

    # Studies

    def apply_studies(self, changes: Mapping[str, StudySummary | None]) -> None:
        """Add new and changed studies, and remove those that are gone (None)."""
        for name, summary in changes.items():
            if summary is None:
                self.studies.pop(name, None)
                self.trials.pop(name, None)
            else:
                self.studies[name] = summary
                self._measure(summary)

    def apply_trials(self, study: str, changes: Mapping[str, RunSummary | None]) -> None:
        """Add new and changed trials of a study, and remove those that are gone (None)."""
        known = self.trials.setdefault(study, {})
        for name, summary in changes.items():
            if summary is None:
                known.pop(name, None)
            else:
                known[name] = summary
                self._measure(summary)

    def toggle(self, study: str) -> None:
        """Show the trials of a study below it, or hide them."""
        self.opened ^= {study}

    @property
    def wanted(self) -> list[str]:
        """Names of the studies whose trials are to be read."""
        return [name for name in list(self.studies) if self.is_open(name)]  # asked by the thread that looks

    def is_open(self, study: str) -> bool:
        """Return whether the trials of a study are shown."""
        return study in self.opened or "study" in self.query.names

    def rows(self) -> list[RunSummary]:
        """Return the displayed runs in order; equal runs newest first. Trials stand below their study."""
        below = {name: self._trials_of(name) for name in self.studies}
        shown = [study for name, study in self.studies.items() if below[name] or self.query.matches(study)]
        rows = self._sorted([*self._matching.values(), *shown])
        if not any(below.values()):
            return rows
        return [row for top in rows for row in (top, *below.get(top.run.id, ()))]

    def _trials_of(self, study: str) -> list[RunSummary]:
        if not self.is_open(study):
            return []
        trials = self.trials.get(study, {}).values()
        return self._sorted([trial for trial in trials if self.query.matches(trial)])

    def _sorted(self, found: Sequence[RunSummary]) -> list[RunSummary]:
        newest_first = sorted(found, key=lambda summary: began(summary) or 0.0, reverse=True)
        value = column_of(self.column).value
        keyed = [(value(summary), summary) for summary in newest_first]
        known = [pair for pair in keyed if pair[0] is not None]
        known.sort(key=lambda pair: pair[0], reverse=self.falling)
        return [summary for _, summary in known] + [summary for key, summary in keyed if key is None]
