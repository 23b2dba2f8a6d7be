"""The most confused pairs of classes, with bars."""

from core.evaluation import ConfusedPair, most_confused
from tui.screens.evaluate.bars import bar
from tui.screens.evaluate.facts import label
from tui.screens.evaluate.tab import Subject
from tui.terminal.text import count, percent
from tui.terminal.themes import MISTAKE
from tui.widgets.table import Cell, Column, Table

__all__ = ["ConfusedPairs"]

MAX_PAIRS = 100
BAR = 8


class ConfusedPairs(Table):
    """One row per pair, the most frequent mistake first: names, a bar, the count, the share of the true class."""

    pairs: list[ConfusedPair]

    @staticmethod
    def title_of(subject: Subject) -> str:
        """Return the title of the list."""
        if subject.predictions.has_labels:
            return "most wrong labels"
        return "most confused: true → predicted"

    def show_pairs(self, subject: Subject) -> None:
        """Show the pairs of an evaluation, or the labels that are missed or given wrongly."""
        if subject.predictions.has_labels:
            self._show_labels(subject)
            return
        names = [label(name) for name in subject.class_names]
        self.pairs = pairs = most_confused(subject.confusion, MAX_PAIRS)

        def cells(row: int) -> list[Cell]:
            pair = pairs[row]
            mistake = f"{names[pair.true]} → {names[pair.predicted]}"
            return [
                mistake,
                (bar(pair.count / pairs[0].count, BAR), MISTAKE),
                count(pair.count),
                f"{percent(pair.share)} %",
            ]

        columns = [Column("pair", 0, "<"), Column("", BAR, "<"), Column("samples", 7), Column("of true")]
        self.show(columns, len(pairs), cells)

    def _show_labels(self, subject: Subject) -> None:
        self.pairs = []
        rows = [
            (f"{label(str(row['name']))} {what}", int(row[key] or 0), whole)
            for row in subject.report.per_class
            for what, key, whole in (
                ("missed", "fn", int(row["support"] or 0)),
                ("given wrongly", "fp", subject.report.n - int(row["support"] or 0)),
            )
        ]
        rows = sorted((row for row in rows if row[1]), key=lambda row: -row[1])[:MAX_PAIRS]

        def cells(row: int) -> list[Cell]:
            name, wrong, whole = rows[row]
            share = f"{percent(wrong / whole)} %"
            return [name, (bar(wrong / rows[0][1], BAR), MISTAKE), count(wrong), share]

        columns = [Column("label", 0, "<"), Column("", BAR, "<"), Column("samples", 7), Column("share")]
        self.show(columns, len(rows), cells)
