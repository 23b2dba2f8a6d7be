"""The table in a text file: its header, its rows, and the lines around them.

Only the standard library is imported: an exported model reads new rows with a copy of this module.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from core.data.tables.files.text_around import LOOKED_AT, TextTable, drop_above, drop_below
from core.data.tables.files.text_header import (
    drop_empty_columns,
    drop_repeated_headers,
    drop_units,
    fit_widths,
    is_header,
    rename_repeated,
)
from core.data.tables.files.text_rows import Row

__all__ = ["find_table"]

QUOTED = re.compile(r"'[^']*'")


def find_table(rows: Iterable[Row], header: bool | None) -> TextTable:
    """Find names and rows among the lines of a file.

    Args:
        header: whether the first line of the table names its columns; None looks at it.
    """
    body, blank = list[Row](), list[int]()
    for line, row in rows:
        if any(map(str.strip, row)):
            body.append((line, row))
        elif len(row) > 1:
            blank.append(line)
    found = TextTable([], body, bool(header))
    if not body:
        return found
    width = _width(body)
    drop_above(found, width)
    drop_below(found, width)
    if not found.rows:
        return found
    found.blank = sum(found.rows[0][0] < line < found.rows[-1][0] for line in blank)
    if header is None:
        found.header = header = is_header(found.rows[0][1], [row for _, row in found.rows[1:LOOKED_AT]])
        if not header:
            found.notes.append(
                "the first line holds values, so that columns are named column_1, column_2 ...; "
                "data.header=yes takes it for names"
            )
    given = [name.strip() for name in found.rows.pop(0)[1]] if header else [""] * width
    if header and all(map(QUOTED.fullmatch, given)):
        given = [name[1:-1].strip() for name in given]
        found.notes.append("the single quotes around the names of columns are left out")
    fit_widths(found, given)
    if header:
        drop_repeated_headers(found, given)
        drop_units(found)
    found.names = [name or f"column_{place}" for place, name in enumerate(given, start=1)]
    rename_repeated(found)
    drop_empty_columns(found, given)
    found.regular = found.regular and all(len(row) == len(found.names) for _, row in found.rows)
    return found


def _width(rows: Sequence[Row]) -> int:
    """The most frequent number of fields."""
    widths = Counter(len(row) for _, row in rows[: 10 * LOOKED_AT])
    return max(widths, key=lambda width: (widths[width], width))
