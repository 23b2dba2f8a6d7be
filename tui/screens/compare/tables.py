"""The two tables of Compare: the runs with their final metrics, and the settings that differ."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.cells import cell_len
from textual.app import ComposeResult

from core.inference.baselines import Baseline, models_beside
from core.metrics import compared_metrics, label_of
from core.palette import RGB
from core.runs.comparison.curves import best_point, lead
from core.runs.comparison.entries import Entry
from core.runs.comparison.settings import differences, not_comparable
from core.runs.comparison.standings import MARKS, Standings, standings
from tui.charts.comparison import interval_text, score_text
from tui.terminal.run_names import short_name
from tui.terminal.text import clean, duration, number, of, setting, short_path
from tui.terminal.themes import STATES, Sign, sign_of
from tui.widgets.panel import Panel
from tui.widgets.table import Cell, Column, Table

__all__ = ["DifferencesPanel", "Shown", "StandingsPanel"]

NAME_WIDTHS = (10, 20)
VALUE_WIDTHS = (6, 16)
PATH_WIDTH = 22
FIXED = 2
"""Fixed columns, which do not scroll: marker and name."""
REFERENCE = " ref"


@dataclass(frozen=True, eq=False)
class Shown:
    """Content of the tables.

    Attributes:
        slots: the sign and colour of each run. curve: name of the curve in the chart.
        reference: place of the pinned run, or None.
    """

    entries: Sequence[Entry] = ()
    slots: Sequence[int] = ()
    curve: str = ""
    split: str = "validation"
    reference: int | None = None
    rows: Sequence[Standings] = field(default_factory=list)

    def signed(self, place: int) -> Sign:
        """Sign and colour of a run."""
        return sign_of(self.slots[place])


class StandingsPanel(Panel):
    """One row per run: its status, the best point of the curve, its final metrics with intervals."""

    def compose(self) -> ComposeResult:
        yield Table(id="standings")

    @property
    def table(self) -> Table:
        return self.query_one(Table)

    def show(self, shown: Shown) -> None:
        """Show the status and metrics of the runs."""
        names = [_name(shown, place) for place in range(len(shown.entries))]
        found = standings(shown.entries, shown.split)
        compared = compared_metrics([row.metric for row in found])
        rows = [row for row in found if row.metric in compared]
        leading = lead(shown.entries, shown.curve)
        first = leading.place if leading else -1

        comparable = not not_comparable(shown.entries, shown.split)
        runs = [entry.run for entry in shown.entries] if comparable else []
        beside = models_beside(runs, shown.split) if rows else []

        def cells(place: int) -> list[Cell]:
            if place >= len(shown.entries):
                return _beside(beside[place - len(shown.entries)], rows, shown.split)
            return [
                shown.signed(place),
                names[place],
                *_progress(shown.entries[place], shown.curve, place == first),
                *(cell for row in rows for cell in _final(row, place, shown.reference)),
                *_state(shown.entries[place]),
            ]

        low, high = NAME_WIDTHS
        best = f"best {clean(shown.curve.removesuffix(' by step').rpartition(' ')[2])}"
        titles = [clean(model.title) for model in beside]
        width = min(high, max([low, *map(cell_len, (*names, *titles))]))
        columns = [
            *(Column("", 1, "<"), Column("run", width, "<"), Column("epochs", 8)),
            *(Column(best, max(9, cell_len(best))), Column("at", 4)),
            *(column for row in rows for column in _columns(row)),
            *(Column("trained", 8), Column("status", 13, "<")),
        ]
        self.table.show(columns, len(shown.entries) + len(beside), cells, frozen=FIXED)
        self.border_title = f"runs  {len(shown.entries)}"
        legend = MARKS if rows else f"none was evaluated on {shown.split}"
        self.border_subtitle = legend if shown.entries else ""


class DifferencesPanel(Panel):
    """One row per setting that differs between runs, one column per run."""

    def compose(self) -> ComposeResult:
        yield Table(id="differences")

    def show(self, shown: Shown) -> None:
        """Show the settings that differ."""
        different = differences(shown.entries)
        paths = list(different)
        texts = {path: [setting(value) for value in values] for path, values in different.items()}
        names = _short_names(paths)
        low, high = VALUE_WIDTHS
        columns = [Column("", min(PATH_WIDTH, max(map(len, names), default=0)), "<")]
        for place in range(len(shown.entries)):
            widest = max([low, *(cell_len(texts[path][place]) for path in paths)])
            columns.append(Column(shown.signed(place)[0], min(high, widest)))

        def cells(row: int) -> list[Cell]:
            values = texts[paths[row]]
            return [names[row], *((text, shown.signed(place)[1]) for place, text in enumerate(values))]

        self.query_one(Table).show(columns, len(paths), cells, frozen=1)
        self.border_title = f"settings that differ  {len(paths)}"
        nothing = "the configurations are identical" if len(shown.entries) > 1 else "there is only one run"
        self.border_subtitle = "" if paths else nothing


def _name(shown: Shown, place: int) -> str:
    name = clean(short_name(shown.entries[place].summary, NAME_WIDTHS[1]))
    return name + REFERENCE if place == shown.reference else name


def _progress(entry: Entry, curve: str, leads: bool) -> list[Cell]:
    best, summary = best_point(entry, curve), entry.summary
    value = number(best.value) if best else "–"
    return [
        (f"{STATES[summary.status][0]} {of(summary.epoch, summary.epochs)}", _color(entry)),
        f"★ {value}" if leads else value,
        f"{round(best.epoch, 1):g}" if best and entry.steps_per_epoch else "–",
    ]


def _state(entry: Entry) -> list[Cell]:
    spent = float(entry.seconds[1][-1]) if len(entry.seconds[1]) else None
    return [duration(spent), (f"{STATES[entry.summary.status][0]} {entry.summary.status}", _color(entry))]


def _color(entry: Entry) -> RGB:
    red, green, blue = bytes.fromhex(STATES[entry.summary.status][1][1:])
    return red, green, blue


def _columns(row: Standings) -> list[Column]:
    title = clean(label_of(row.metric))
    return [Column(title, max(10, cell_len(title))), Column("95 %", 13 if _has_intervals(row) else 4)]


def _final(row: Standings, place: int, reference: int | None) -> list[Cell]:
    return [score_text(row, place, reference), interval_text(row.scores[place])]


def _beside(model: Baseline, rows: Sequence[Standings], split: str) -> list[Cell]:
    """The final metrics of a simple model beside the runs."""
    report = model.reports[split]
    values: list[Cell] = []
    for row in rows:
        interval = report.intervals.get(row.metric)
        ends = " … ".join(number(end, 3) for end in interval) if interval else ""
        values += [f"  {number(report.metrics.get(row.metric))}", ends]
    return ["·", clean(model.title), "", "", "", *values, "", "simple model"]


def _has_intervals(row: Standings) -> bool:
    return any(score is not None and score.interval for score in row.scores)


def _short_names(paths: Sequence[str]) -> list[str]:
    """``lr`` for ``optimizer.lr`` unless another section has one too, and ``optimizer`` for the choice itself."""
    short = [clean(short_path(path)) for path in paths]
    return [name if short.count(name) == 1 else clean(path) for name, path in zip(short, paths, strict=True)]
