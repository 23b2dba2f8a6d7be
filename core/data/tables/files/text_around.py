"""Lines around the rows of a text file: titles and comments above, sources and totals below.

Only the standard library is imported: an exported model reads new rows with a copy of this module.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from core.counting import counted
from core.data.tables.files.text_rows import SEPARATOR_LINE, Row, is_numeric
from core.data.tables.files.text_totals import adding_rows, names_total

__all__ = ["LOOKED_AT", "TextTable", "drop_above", "drop_below", "ends_regularly"]

COMMENT = re.compile(r"\s*(#|%|//)")
LOOKED_AT = 200
"""Rows from which a table's width and header are found."""
MAX_ABOVE = 30
"""Rows of pairs of words above the names, at most."""
TAIL = 8
"""Rows at the end of which one that is called a total is none of the table, whatever it holds."""
MAX_LINES = 5
"""Lines that are named of those that are left out."""


@dataclass
class TextTable:
    """The table in a text file.

    Attributes:
        names: of the columns, without empty ones.
        rows: lines and fields, each with a field for each name.
        header: whether a line of the file names the columns.
        notes: what was left out or inferred, a line each.
        regular: whether the file is nothing but these rows, below a header if there is one.
        blank: lines of separators alone between the rows.
    """

    names: list[str]
    rows: list[Row]
    header: bool
    notes: list[str] = field(default_factory=list)
    regular: bool = True
    blank: int = 0

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
    first += _named_below(found.rows[first:], width)
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


def _named_below(rows: Sequence[Row], width: int) -> int:
    """How many rows stand above the names: filled up to a half, or behind a colon, as pairs of words are.

    Names have a text in each field, also above columns of numbers; where there are none, nothing stands above them.
    """
    for at, (_, row) in enumerate(rows[:MAX_ABOVE]):
        filled = sum(bool(text.strip()) for text in row)
        if len(row) != width:
            return 0
        if filled == width:
            return (
                at if at and _above_numbers(row, [other for _, other in rows[at + 1 : at + LOOKED_AT]]) else 0
            )
        if 2 * filled > width and not row[0].strip().endswith(":"):
            return 0
    return 0


def _above_numbers(row: Sequence[str], rest: Sequence[Sequence[str]]) -> bool:
    """Return whether a row has texts wherever others have numbers, and some do."""
    columns = [
        [other[at] for other in rest if at < len(other) and other[at].strip()] for at in range(len(row))
    ]
    numeric = [
        at
        for at, column in enumerate(columns)
        if column and sum(map(is_numeric, column)) >= 0.9 * len(column)
    ]
    return bool(numeric) and not any(is_numeric(row[at]) for at in numeric)


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
    adding = [1 + at for at in adding_rows(found.rows[1:])]
    _leave_out_totals(
        found, adding, ": sums or means of rows above, or without texts; another name keeps them"
    )
    _leave_out_totals(found, _last_totals(found.rows), "")


def _last_totals(rows: Sequence[Row]) -> list[int]:
    """The positions of rows at the end that are called totals, unless other rows are called so, too."""
    named = {
        at: name
        for at in range(max(1, len(rows) - TAIL), len(rows))
        if names_total(name := next((text for text in rows[at][1] if text.strip()), ""))
    }
    if not named:
        return []
    first = len(rows) - TAIL
    recurring = {text.strip().lower() for _, row in rows[1 : max(1, first)] for text in row[:1]}
    return [at for at, name in named.items() if name.strip().lower() not in recurring]


def _leave_out_totals(found: TextTable, totals: Sequence[int], why: str) -> None:
    if not totals:
        return
    lines = ", ".join(f"{found.rows[at][0]:,}" for at in totals[:MAX_LINES])
    more = f" and {len(totals) - MAX_LINES:,} more" if len(totals) > MAX_LINES else ""
    found.leave_out(f"totals in line {lines}{more}{why}")
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
