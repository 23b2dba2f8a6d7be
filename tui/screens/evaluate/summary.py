"""Summary: every metric with its interval and baseline, the classes, the most confused pairs."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from core.counting import counted
from core.evaluation import Report
from core.inference.baselines import Compared, not_better_than_boosting
from core.metrics import LABELS, OF_TARGET, in_order, label_of, signed
from core.runs.data_facts import kept_warnings
from core.tasks.registry import task_of
from tui.forms.guide.explain import Explanation
from tui.forms.guide.meanings import of_metric
from tui.screens.base import NARROW
from tui.screens.evaluate.confused import ConfusedPairs
from tui.screens.evaluate.facts import label
from tui.screens.evaluate.find_class import find_class
from tui.screens.evaluate.tab import EvaluationTab, Subject
from tui.terminal.text import clean, number
from tui.widgets.panel import Panel
from tui.widgets.table import Cell, Column, Table

__all__ = ["SummaryTab"]


def class_columns(report: Report, sorted_by: str = "", arrow: str = "") -> dict[str, Column]:
    """Return the columns of the table of classes by the keys of its rows; names get what the numbers leave."""
    titles = {key: label_of(key) for key in task_of(report.task).class_columns}
    titles = {key: f"{arrow}{title}" if key == sorted_by else title for key, title in titles.items()}
    widths = {key: max(6, len(title)) for key, title in titles.items()}
    widths["support"] = max(widths["support"], *(len(str(row["support"])) for row in report.per_class))
    return {
        "name": Column(f"{arrow}class" if sorted_by == "name" else "class", 0, "<"),
        **{key: Column(title, widths[key]) for key, title in titles.items()},
    }


class SummaryTab(EvaluationTab):
    """All numbers."""

    TITLE = "Summary"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "sort", "sort", tooltip="Sort the classes by the next column"),
        Binding("O", "reverse", "reverse order", show=False),
        Binding("slash", "find", "find class", key_display="/", tooltip="Find a class by its name"),
    ]

    def __init__(self) -> None:
        super().__init__(id="summary")
        self.sorted_by, self.descending = "", False
        self.order: list[int] = []

    def compose(self) -> ComposeResult:
        with Panel(id="metrics-panel"):
            yield Table(id="metrics")
            yield Table(id="beside")
            yield Static("", id="reasons", markup=False)
        with Vertical(id="classes-side"):
            with Panel(id="classes-panel"):
                yield Table(id="classes")
            with Panel(id="confused-panel"):
                yield ConfusedPairs()

    def main_widget(self) -> Widget | None:
        classes = self.query_one("#classes")
        return (
            classes
            if self.screen.size.width >= NARROW and classes.is_on_screen
            else self.query_one("#metrics")
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to sort and to find classes only where there are classes."""
        has_classes = self.subject is not None and bool(self.subject.report.per_class)
        return has_classes or action not in ("sort", "reverse", "find")

    def explanation(self) -> Explanation | None:
        """Explain the metric under the cursor, or the columns of the table of classes."""
        if self.subject is None:
            return None
        report, metrics = self.subject.report, self.query_one("#metrics", Table)
        if metrics.has_focus:
            key = in_order(report.metrics, LABELS)[metrics.cursor]
            _, *numbers = _metric(report, key)
            return of_metric(key, dict(zip(("value", "95 % interval", "baseline"), numbers, strict=True)))
        if self.query_one("#classes", Table).has_focus and report.per_class:
            keys = [key for key in class_columns(report) if key not in ("name", "support")]
            return Explanation(
                "classes", "", choices={label_of(key): of_metric(key, {}).about for key in keys}
            )
        return None

    def draw(self, subject: Subject) -> None:
        report = subject.report
        known = in_order(report.metrics, LABELS)
        rows = [_metric(report, key) for key in known]
        widest = max(len(row[2]) for row in rows)
        columns = [
            Column("metric", 0, "<"),
            Column("value", max(len(row[1]) for row in rows)),
            Column("95 % interval", max(widest, len("95 % interval"))),
            Column("baseline"),
        ]
        self.query_one("#metrics", Table).show(columns, len(rows), rows.__getitem__)
        panel = self.query_one("#metrics-panel", Panel)
        panel.border_title = f"{report.split}: {counted(report.n, 'sample')}"
        self.query_one("#reasons", Static).update(Content("\n".join(_reasons(subject, known))))
        self.query_one("#metrics", Table).styles.height = len(known) + 1
        self._show_beside(subject)
        self.set_class(not (report.per_class or report.per_target), "-alone")
        self.query_one("#classes-side").display = not self.has_class("-alone")
        self.refresh_bindings()
        self.query_one("#confused-panel").display = bool(report.per_class)
        if report.per_target:
            self._show_targets(report)
        if report.per_class:
            self.sorted_by, self.descending = "", False
            self._show_classes(subject)
            self.query_one(ConfusedPairs).show_pairs(subject)
            self.query_one("#confused-panel", Panel).border_title = ConfusedPairs.title_of(subject)

    def _show_beside(self, subject: Subject) -> None:
        """Show the simple models beside the run, and how the network differs from each."""
        rows = [_beside(row) for row in subject.beside]
        table = self.query_one("#beside", Table)
        table.display = bool(rows)
        if rows:
            columns = [
                Column("simple model", 0, "<"),
                Column(clean(label_of(subject.beside[0].metric)), 8),
                Column("net−it", 7),
                Column("95 %", max(len(row[3]) for row in rows)),
            ]
            table.show(columns, len(rows), rows.__getitem__)
            table.styles.height = len(rows) + 1

    def action_sort(self) -> None:
        """Sort by the next column."""
        if self.subject is None:
            return
        keys = list(class_columns(self.subject.report))
        place = keys.index(self.sorted_by) + 1 if self.sorted_by else 1
        self._sort(keys[place % len(keys)])

    def action_find(self) -> None:
        """Find a class by its name."""

        def found(number: int) -> None:
            table = self.query_one("#classes", Table)
            table.cursor = self.order.index(number)
            table.focus()

        if self.subject is not None and self.subject.report.per_class:
            find_class(self, found)

    def action_reverse(self) -> None:
        """Reverse the order."""
        self._sort(self.sorted_by or "name")

    @on(Table.HeadClicked, "#classes")
    def _head_clicked(self, event: Table.HeadClicked) -> None:
        if self.subject is not None:
            self._sort(list(class_columns(self.subject.report))[event.column])

    def _sort(self, key: str) -> None:
        """Sort the classes, worst first; reverse the order if already sorted by this column."""
        self.descending = not self.descending if key == self.sorted_by else key == "support"
        self.sorted_by = key
        if self.subject is not None and self.subject.report.per_class:
            self._show_classes(self.subject)

    def _show_targets(self, report: Report) -> None:
        """Show the numbers of each target with their intervals."""
        rows = [
            _target(row, ends) for row, ends in zip(report.per_target, report.target_intervals, strict=True)
        ]
        heads = ["target", *(title for key in OF_TARGET for title in (label_of(key), "95 %"))]
        widths = [max(len(head), *(len(str(row[place])) for row in rows)) for place, head in enumerate(heads)]
        columns = [
            Column(head, width + bool(place), ">" if place else "<")
            for place, (head, width) in enumerate(zip(heads, widths, strict=True))
        ]
        self.query_one("#classes", Table).show(columns, len(rows), rows.__getitem__, frozen=1)
        panel = self.query_one("#classes-panel", Panel)
        panel.border_title, panel.border_subtitle = f"{counted(len(rows), 'target')}, each in its unit", ""

    def _show_classes(self, subject: Subject) -> None:
        rows, arrow = subject.report.per_class, "▼" if self.descending else "▲"
        shown = class_columns(subject.report, self.sorted_by, arrow)
        self.order = _order(rows, self.sorted_by, self.descending)
        table = self.query_one("#classes", Table)
        table.show(
            [*shown.values()],
            len(rows),
            lambda row: _class(rows[self.order[row]], [*shown][1:]),
            frozen=1,
        )
        panel = self.query_one("#classes-panel", Panel)
        panel.border_title = (
            counted(len(rows), "label") if "threshold" in shown else counted(len(rows), "class", "classes")
        )
        panel.border_subtitle = "o sorts"


def _target(row: dict[str, Any], intervals: dict[str, list[float]]) -> list[Cell]:
    cells: list[Cell] = [label(str(row["name"]))]
    for key in OF_TARGET:
        ends = intervals.get(key)
        cells += [number(row[key]), f"{number(ends[0])} … {number(ends[1])}" if ends else ""]
    return cells


def _metric(report: Report, key: str) -> list[str]:
    interval = report.intervals.get(key)
    shown = f"{number(interval[0])} … {number(interval[1])}" if interval else ""
    baseline = report.baseline.get(key)
    compared = number(baseline) if isinstance(baseline, (int, float)) else ""
    name = clean(report.title_of(key))
    return [name, number(report.metrics[key]), shown, compared]


def _beside(row: Compared) -> list[Cell]:
    difference = row.difference
    name = clean(row.model.title)
    if difference is None:
        return [name, number(row.value), "–", ""]
    ends = " … ".join(number(end, 3) for end in difference.interval)
    return [name, number(row.value), signed(difference.value), ends]


def _reasons(subject: Subject, known: Sequence[str]) -> list[str]:
    """Return whether boosting is level, the weighting, the baseline, and the reasons for undefined metrics."""
    report = subject.report
    line = not_better_than_boosting(subject.evaluation, subject.beside)
    lines = [f"▲ {clean(line)}"] if line else []
    lines += [f"▲ {clean(warning)}" for warning in kept_warnings(subject.evaluation.run)]
    lines += [clean(report.weighting)] if report.weighting else []
    lines += [clean(report.decision)] if report.decision else []
    lines += [f"baseline: {clean(str(report.baseline.get('description', '')))}"]
    lines += [
        f"– {clean(label_of(key))}: {clean(report.undefined[key])}"
        for key in known
        if key in report.undefined
    ]
    return lines + [
        f"– no interval of {clean(', '.join(map(label_of, keys)))}: {clean(why)}"
        for why, keys in report.without_interval(known).items()
    ]


def _order(rows: Sequence[dict[str, Any]], key: str, descending: bool) -> list[int]:
    """Return the class numbers in order; undefined values come last."""
    if not key:
        return list(range(len(rows)))
    known = [(row[key], number_) for number_, row in enumerate(rows) if row[key] is not None]
    unknown = [number_ for number_, row in enumerate(rows) if row[key] is None]
    return [number_ for _, number_ in sorted(known, key=itemgetter(0), reverse=descending)] + unknown


def _class(row: dict[str, Any], columns: Sequence[str]) -> list[Cell]:
    return [label(str(row["name"])), *(number(row[key]) for key in columns)]
