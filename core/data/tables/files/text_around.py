"""Lines around the rows of a text file: titles and comments above, sources and totals below.

Only the standard library is imported: an exported model reads new rows with a copy of this module.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from core.counting import counted
from core.data.tables.files.text_rows import SEPARATOR_LINE, Row, is_numeric

__all__ = ["LOOKED_AT", "TextTable", "drop_above", "drop_below", "ends_regularly"]

COMMENT = re.compile(r"\s*(#|%|//)")
TOTALS = {
    *(
        "total",
        "totals",
        "grand total",
        "sum",
        "average",
        "mean",
        "summe",
        "gesamt",
        "insgesamt",
        "gesamtergebnis",
        "gesamtsumme",
        "mittelwert",
    ),
    *(
        "somme",
        "moyenne",
        "suma",
        "soma",
        "total général",
        "total general",
        "total geral",
        "totale",
        "totale complessivo",
        "totaal",
        "eindtotaal",
        "media",
        "итого",
        "всего",
        "合计",
        "总计",
        "合計",
        "总和",
        "小计",
        "総計",
    ),
}
LOOKED_AT = 200
"""Rows from which a table's width and header are found."""
TAIL = 8
"""Rows at the end among which totals are looked for."""


@dataclass
class TextTable:
    """The table in a text file.

    Attributes:
        names: of the columns, without empty ones.
        rows: lines and fields, each with a field for each name.
        header: whether a line of the file names the columns.
        notes: what was left out or inferred, a line each.
        regular: whether the file is nothing but these rows, below a header if there is one.
    """

    names: list[str]
    rows: list[Row]
    header: bool
    notes: list[str] = field(default_factory=list)
    regular: bool = True

    def leave_out(self, what: str) -> None:
        """Note that lines were left out."""
        self.notes.append(f"left out {what}")
        self.regular = False


def _alone(row: Sequence[str], width: int) -> bool:
    """Return whether only the first field of a row holds something, and no number."""
    return (
        width > 1
        and bool(row)
        and bool(row[0].strip())
        and not any(map(str.strip, row[1:]))
        and not is_numeric(row[0])
    )


def drop_above(found: TextTable, width: int) -> None:
    """Leave out a line that names the separator, comments, and titles."""
    first = 0
    for at, (_, row) in enumerate(found.rows):
        text = "".join(row)
        comment = COMMENT.match(text) is not None and (
            len(row) != width or _followed_by_comment(found.rows, at)
        )
        if not (SEPARATOR_LINE.fullmatch(text) or comment or _alone(row, width)):
            break
        first = at + 1
    if 0 < first < len(found.rows):
        shown = found.rows[0][1][0].strip()
        if not SEPARATOR_LINE.fullmatch("".join(found.rows[0][1])) or first > 1:
            lines = "line" if first == 1 else f"{first:,} lines"
            found.notes.append(f"left out {lines} above the table: '{shown[:40]}'")
        found.regular = False
        del found.rows[:first]
    comments = [
        at for at, (_, row) in enumerate(found.rows) if len(row) != width and COMMENT.match("".join(row))
    ]
    if comments and comments[0]:
        found.leave_out(
            f"{counted(len(comments), 'line')} of comments, the first in line {found.rows[comments[0]][0]:,}"
        )
        for at in reversed(comments):
            del found.rows[at]


def _followed_by_comment(rows: Sequence[Row], at: int) -> bool:
    return at + 1 < len(rows) and COMMENT.match("".join(rows[at + 1][1])) is not None


def drop_below(found: TextTable, width: int) -> None:
    """Leave out sources, notes and totals at the end."""
    last = len(found.rows)
    while last > 2 and (_alone(found.rows[last - 1][1], width) and len(found.rows) - last < 10 * TAIL):
        last -= 1
    below = found.rows[last:]
    if below and not _usual_row(below[0][1], found.rows[:last]):
        found.leave_out(
            f"{counted(len(below), 'line')} below the table, from line {below[0][0]:,}: '{below[0][1][0].strip()[:40]}'"
        )
        del found.rows[last:]
    totals = [
        at
        for at in range(max(1, len(found.rows) - TAIL), len(found.rows))
        if next((text for text in found.rows[at][1] if text.strip()), "").strip(" :*").lower() in TOTALS
    ]
    recurring = {
        row[0].strip().lower()
        for _, row in found.rows[:LOOKED_AT]
        if row and len(found.rows) > TAIL + LOOKED_AT
    }
    totals = [at for at in totals if found.rows[at][1][0].strip().lower() not in recurring]
    if totals:
        found.leave_out(f"totals in line {', '.join(f'{found.rows[at][0]:,}' for at in totals)}")
        for at in reversed(totals):
            del found.rows[at]


def _usual_row(row: Sequence[str], above: Sequence[Row]) -> bool:
    """Return whether rows with a first field alone occur all over the table."""
    return len(row) == len(above[-1][1]) and sum(_alone(other, len(other)) for _, other in above[1:]) > 1


def ends_regularly(rows: Iterable[Row], width: int) -> bool:
    """Return whether the last rows of a file belong to its table."""
    body = [row for row in rows if any(map(str.strip, row[1]))]
    found = TextTable([], body, False)
    if len(body) > 1:
        drop_below(found, width)
    return found.regular
