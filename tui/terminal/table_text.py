"""A table as text: for a file, and for the clipboard."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

__all__ = ["TableText", "Tabular", "as_csv", "as_lines", "distinct"]


@dataclass(frozen=True)
class TableText:
    """All that a table holds.

    Attributes:
        cursor: the row with the cursor.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    cursor: int = 0


@runtime_checkable
class Tabular(Protocol):
    """A widget that shows a table."""

    def as_table(self) -> TableText:
        """Return what it holds, with all rows and columns, whether they are seen or not."""


def distinct(titles: Sequence[str]) -> list[str]:
    """Return the titles of columns, one that occurs before with the title beside it: an interval with its metric."""
    found: list[str] = []
    for place, title in enumerate(titles):
        name = title if title not in found or not place else f"{titles[place - 1]} {title}"
        found.append(name)
    return found


def as_csv(table: TableText) -> str:
    """Return a table as CSV with a head."""
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows([table.head, *table.rows])
    return file.getvalue()


def as_lines(rows: Sequence[Sequence[str]]) -> str:
    """Return rows with tabs between cells, as spreadsheets take them from the clipboard."""
    return "\n".join("\t".join(" ".join(cell.split()) for cell in row) for row in rows)
