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

    def show_pairs(self, subject: Subject) -> None:
        """Show the pairs of an evaluation."""
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
