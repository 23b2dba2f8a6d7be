"""The two tables of Compare: the runs with their final metrics, and the settings that differ."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual.app import ComposeResult

from core.evaluation.report import Report
from core.inference.baselines import Baseline, models_beside
from core.metrics import compared_metrics, label_of, signed
from core.palette import RGB
from core.runs.comparison.curves import best_point, best_title, leads
from core.runs.comparison.entries import Entry
from core.runs.comparison.groups import RunGroup, started_twice
from core.runs.comparison.settings import differences, not_comparable
from core.runs.comparison.standings import MARKS, Score, Standings, standings
from core.status import Status
from tui.charts.comparison import SPREAD, group_name, interval_text, score_text
from tui.terminal.text import clean, duration, number, of, setting, short_path
from tui.terminal.themes import STATES, Sign, member_sign, sign_of
from tui.widgets.panel import Panel
from tui.widgets.table import Cell, Column, Table

__all__ = ["DifferencesPanel", "Line", "Shown", "StandingsPanel", "metric_columns"]

NAME_WIDTHS = (10, 20)
VALUE_WIDTHS = (6, 16)
PATH_WIDTH = 22
FIXED = 2
"""Fixed columns, which do not scroll: marker and name."""
REFERENCE = " ref"
NOT_TESTED = "not tested"


@dataclass(frozen=True)
class Line:
    """A row of the table of runs: a group, or one run of an expanded one by its place in it."""

    place: int
    member: int | None = None


@dataclass(frozen=True, eq=False)
class Shown:
    """Content of the tables.

    Attributes:
        slots: the sign and colour of each group. curve: name of the curve in the chart.
        reference: place of the pinned group, or None.
        expanded: places of the groups whose runs are shown below them.
    """

    groups: Sequence[RunGroup] = ()
    slots: Sequence[int] = ()
    curve: str = ""
    split: str = "validation"
    reference: int | None = None
    expanded: Collection[int] = ()

    @property
    def entries(self) -> list[Entry]:
        """All runs."""
        return [entry for group in self.groups for entry in group.entries]

    @property
    def lines(self) -> list[Line]:
        """The rows of the table of runs."""
        found = []
        for place, group in enumerate(self.groups):
            members = range(len(group.entries)) if place in self.expanded else ()
            found += [Line(place), *(Line(place, member) for member in members)]
        return found

    def signed(self, place: int) -> Sign:
        """Sign and colour of a group."""
        return sign_of(self.slots[place])


class TablePanel(Panel):
    """A panel around one table."""

    @property
    def table(self) -> Table:
        """The table."""
        return self.query_one(Table)

    @property
    def needed_width(self) -> int:
        """Cells that show all columns, with the border and a scrollbar."""
        return self.table.virtual_size.width + 3

    @property
    def needed_height(self) -> int:
        """Lines that show all rows, with the head, the border and a scrollbar below."""
        scrolls = self.table.virtual_size.width > self.content_size.width
        return self.table.virtual_size.height + 2 + scrolls


class StandingsPanel(TablePanel):
    """One row per run or group: its status, the best point of the curve, its final metrics with intervals."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._shown = Shown()

    def compose(self) -> ComposeResult:
        yield Table(id="standings")

    def on_resize(self) -> None:
        self._fill()

    def show(self, shown: Shown) -> None:
        """Show the status and metrics of the runs."""
        self._shown = shown
        self._fill()

    def _fill(self) -> None:
        shown = self._shown
        lines = shown.lines
        names = [_name(shown, line) for line in lines]
        found = standings(shown.groups, shown.split)
        compared = compared_metrics([row.metric for row in found])
        rows = [row for row in found if row.metric in compared]
        leading = {best.place for best in leads(shown.groups, shown.curve)}

        comparable = not not_comparable(shown.entries, shown.split)
        runs = [entry.run for entry in shown.entries] if comparable else []
        beside = models_beside(runs, shown.split) if rows else []

        low, high = NAME_WIDTHS
        best = clean(best_title(shown.groups, shown.curve))
        titles = [clean(model.title) for model in beside]
        width = min(high, max([low, *map(cell_len, (*names, *titles))]))
        epochs = [cell_len(_done(shown.groups[line.place])) for line in lines]
        columns = [
            *(Column("", 1, "<"), Column("run", width, "<"), Column("epochs", max([8, *epochs]))),
            *(Column(best, max(9, cell_len(best))), Column("at", 4)),
            *(column for row in rows for column in metric_columns(row, _chances(shown, row, beside))),
        ]
        last = _last_columns(columns, self.content_size.width)

        def cells(at: int) -> list[Cell]:
            if at >= len(lines):
                return _beside(beside[at - len(lines)], rows, shown.split)
            line = lines[at]
            if line.member is not None:
                return _member(shown, line, names[at], rows)
            return [
                shown.signed(line.place),
                names[at],
                *_progress(shown.groups[line.place], shown.curve, line.place in leading),
                *(cell for row in rows for cell in _final(row, line.place, shown.reference)),
                *_state(shown.groups[line.place]),
            ]

        columns += last
        self.table.show(columns, len(lines) + len(beside), lambda at: cells(at)[: len(columns)], frozen=FIXED)
        self.border_title = f"runs  {len(shown.entries)}"
        repeated = any(group.is_repeated for group in shown.groups)
        marks = [*([MARKS] if any(row.leaders for row in rows) else []), *([SPREAD] if repeated else [])]
        legend = "  ".join(marks) if rows else f"none was evaluated on {shown.split}"
        self.border_subtitle = legend if shown.groups else ""


class DifferencesPanel(TablePanel):
    """One row per setting that differs between runs, one column per run or group."""

    def compose(self) -> ComposeResult:
        yield Table(id="differences")

    def show(self, shown: Shown) -> None:
        """Show the settings that differ."""
        different = differences(shown.groups)
        paths = list(different)
        texts = {path: [setting(value) for value in values] for path, values in different.items()}
        names = _short_names(paths)
        low, high = VALUE_WIDTHS
        columns = [Column("", min(PATH_WIDTH, max(map(len, names), default=0)), "<")]
        for place in range(len(shown.groups)):
            widest = max([low, *(cell_len(texts[path][place]) for path in paths)])
            columns.append(Column(shown.signed(place)[0], min(high, widest)))

        def cells(row: int) -> list[Cell]:
            values = texts[paths[row]]
            return [names[row], *((text, shown.signed(place)[1]) for place, text in enumerate(values))]

        self.table.show(columns, len(paths), cells, frozen=1)
        self.border_title = f"settings that differ  {len(paths)}"
        alone = "only the seeds differ" if len(shown.entries) > 1 else "there is only one run"
        identical = started_twice(shown.groups) or "the configurations are identical"
        nothing = identical if len(shown.groups) > 1 else alone
        self.border_subtitle = "" if paths else nothing


def _name(shown: Shown, line: Line) -> str:
    group = shown.groups[line.place]
    if line.member is not None:
        return f"  seed {group.seeds[line.member]}"
    name = clean(group_name(group, NAME_WIDTHS[1]))
    return name + REFERENCE if line.place == shown.reference else name


def _progress(group: RunGroup, curve: str, leads_here: bool) -> list[Cell]:
    best = best_point(group, curve)
    value = number(best.value) if best else "–"
    return [
        (_done(group), _color(group)),
        f"★ {value}" if leads_here else value,
        f"{round(best.epoch, 1):g}" if best and group.first.steps_per_epoch else "–",
    ]


def _done(group: RunGroup) -> str:
    """Return the epochs of a group, behind the sign of its status."""
    done = min(entry.summary.epoch for entry in group.entries)
    return f"{STATES[_status(group)][0]} {of(done, group.first.summary.epochs)}"


def _state(group: RunGroup) -> list[Cell]:
    spent = [float(entry.seconds[1][-1]) for entry in group.entries if len(entry.seconds[1])]
    status = _status(group)
    count = sum(entry.summary.status == status for entry in group.entries)
    text = f"{count} {status}" if group.is_repeated else f"{STATES[status][0]} {status}"
    return [duration(sum(spent) if spent else None), (text, _color(group))]


def _status(group: RunGroup) -> Status:
    """The status of a group: that of the first run which is not complete."""
    found = [entry.summary.status for entry in group.entries]
    return next((status for status in found if status != "completed"), found[0])


def _color(group: RunGroup) -> RGB:
    red, green, blue = bytes.fromhex(STATES[_status(group)][1][1:])
    return red, green, blue


def _last_columns(columns: Sequence[Column], room: int) -> list[Column]:
    """Return the columns behind the metrics; without those that alone would make the table scroll."""
    last = [Column("trained", 8), Column("status", 13, "<")]
    for shown in (last, last[:1], []):
        if 1 + sum(column.width + 1 for column in (*columns, *shown)) <= room:
            return shown
    return last


def metric_columns(row: Standings, chances: Sequence[str] = ()) -> list[Column]:
    """Return the columns of a metric: its value, and its interval, or that nothing tests who leads.

    Args:
        chances: what else than the intervals of the groups stands in the second column.
    """
    title = clean(label_of(row.metric))
    value = Column(title, max(10, cell_len(title)))
    if not has_chance(row):
        return [value]
    chance = "95 %" if row.is_tested else NOT_TESTED
    texts = (chance, *chances, *(interval_text(score) for score in row.scores))
    return [value, Column(chance, max(8, *map(cell_len, texts)))]


def has_chance(row: Standings) -> bool:
    """Return True if a metric has intervals, or a note that nothing tests who leads."""
    return _has_intervals(row) or not row.is_tested


def _final(row: Standings, place: int, reference: int | None) -> list[Cell]:
    chance = [interval_text(row.scores[place])] if has_chance(row) else []
    return [score_text(row, place, reference), *chance]


def _member(shown: Shown, line: Line, name: str, rows: Sequence[Standings]) -> list[Cell]:
    """One run of a group: its own numbers, without signs, since the group is what is compared."""
    assert line.member is not None
    entry = shown.groups[line.place].entries[line.member]
    report = entry.reports.get(shown.split)
    values: list[Cell] = []
    for row in rows:
        against = row.scores[shown.reference] if shown.reference is not None else None
        value = report.metrics.get(row.metric) if report else None
        shift = signed(value - against.value) if against and value is not None else number(value)
        values += [f"  {shift}", *([_interval(report, row.metric)] if has_chance(row) else [])]
    alone = RunGroup((entry,))
    return [
        (member_sign(line.member), shown.signed(line.place)[1]),
        name,
        *_progress(alone, shown.curve, False),
        *values,
        *_state(alone),
    ]


def _beside(model: Baseline, rows: Sequence[Standings], split: str) -> list[Cell]:
    """The final metrics of a simple model beside the runs."""
    report = model.reports[split]
    values: list[Cell] = []
    for row in rows:
        chance = [_interval(report, row.metric)] if has_chance(row) else []
        values += [f"  {number(report.metrics.get(row.metric))}", *chance]
    return ["·", clean(model.title), "", "", "", *values, "", "simple model"]


def _interval(report: Report | None, metric: str) -> str:
    """The interval of one run or simple model, as text."""
    ends = report.intervals.get(metric) if report else None
    return interval_text(Score(0.0, (ends[0], ends[1])) if ends else None)


def _chances(shown: Shown, row: Standings, beside: Sequence[Baseline]) -> list[str]:
    """The intervals of simple models and of runs of expanded groups."""
    members = [shown.groups[place].entries for place in shown.expanded]
    reports = [entry.reports.get(shown.split) for entries in members for entry in entries]
    return [_interval(report, row.metric) for report in (*reports, *(m.reports[shown.split] for m in beside))]


def _has_intervals(row: Standings) -> bool:
    return any(score is not None and score.interval for score in row.scores)


def _short_names(paths: Sequence[str]) -> list[str]:
    """``lr`` for ``optimizer.lr`` unless another section has one too, and ``optimizer`` for the choice itself."""
    short = [clean(short_path(path)) for path in paths]
    return [name if short.count(name) == 1 else clean(path) for name, path in zip(short, paths, strict=True)]
