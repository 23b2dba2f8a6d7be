"""Names of the columns of a text file: its header, lines that repeat it, and names that are repeated or lacking.

Only the standard library is imported: an exported model reads new rows with a copy of this module.
"""

import itertools
from collections import Counter
from collections.abc import Sequence

from core.counting import counted
from core.data.tables.files.text_around import LOOKED_AT, TextTable
from core.data.tables.files.text_rows import NO_VALUE, is_numeric

__all__ = [
    "drop_empty_columns",
    "drop_repeated_headers",
    "drop_units",
    "fit_widths",
    "is_header",
    "rename_repeated",
]


def is_header(first: Sequence[str], rest: Sequence[Sequence[str]]) -> bool:
    """Return whether the first row names the columns: no numbers where others have them, no text twice."""
    if not rest:
        return True
    columns = [[row[at].strip() for row in rest if at < len(row)] for at in range(len(first))]
    columns = [[text for text in column if text.lower() not in NO_VALUE] for column in columns]
    numeric = [
        at
        for at, column in enumerate(columns)
        if column and sum(map(is_numeric, column)) >= 0.9 * len(column)
    ]
    given = [first[at].strip() for at in numeric]
    if numeric:
        values = [text for text in given if is_numeric(text)]
        if _counts_up(values) or (_are_years(values) and _new_words(first, columns, numeric)):
            return True
        return len(values) < max(1, 0.8 * sum(text.lower() not in NO_VALUE for text in given))
    recurring = sum(text.strip() in column for text, column in zip(first, columns, strict=True) if column)
    return 2 * recurring < sum(map(bool, columns))


def _counts_up(texts: Sequence[str]) -> bool:
    """Return whether names are rising whole numbers, such as years."""
    if len(texts) < 3 or not all(text.isdigit() for text in texts):
        return False
    numbers = list(map(int, texts))
    steps = {after - before for before, after in itertools.pairwise(numbers)}
    return min(steps) > 0 and (len(steps) == 1 or all(1000 <= number <= 2999 for number in numbers))


def _are_years(texts: Sequence[str]) -> bool:
    years = [int(text) for text in texts if text.isdigit() and 1900 <= int(text) <= 2100]
    return 0 < len(years) == len(texts) and years == sorted({*years})


def _new_words(first: Sequence[str], columns: Sequence[Sequence[str]], numeric: Sequence[int]) -> bool:
    """Return whether none of the words in a first row recurs below it, though most of those in a column do."""
    others = [at for at in range(len(first)) if at not in numeric and columns[at]]
    recur = any(2 * len({*columns[at]}) <= len(columns[at]) for at in others)
    return recur and not any(first[at].strip() in ("", *columns[at]) for at in others)


def fit_widths(found: TextTable, given: list[str]) -> None:
    """Give names and rows the same number of fields where what is too much is empty, or names of rows are there."""
    widths = Counter(len(row) for _, row in found.rows)
    width = max(widths, key=lambda each: (widths[each], each), default=len(given))
    while len(given) > width and not given[-1]:
        given.pop()
        found.regular = False
    if len(given) == width - 1 and all(len(row) == width for _, row in found.rows[:LOOKED_AT]):
        if any(row[-1].strip() for _, row in found.rows):
            given.insert(0, "row_names")
            found.notes.append(
                "the header has a name less than the rows have fields: the first column is row_names"
            )
        found.regular = False
    for _, row in found.rows:
        while len(row) > len(given) and not row[-1].strip():
            row.pop()
            found.regular = False


def rename_repeated(found: TextTable) -> None:
    """Give columns of the same name different ones: size, size_2 ..."""
    taken, again = {*found.names}, []
    seen: set[str] = set()
    for place, name in enumerate(found.names):
        if name in seen:
            count = 2
            while f"{name}_{count}" in taken:
                count += 1
            found.names[place] = f"{name}_{count}"
            taken.add(found.names[place])
            again.append(f"'{name[:40]}' is {found.names[place][:40]}")
        seen.add(name)
    if again:
        more = f" and {len(again) - 3:,} more" if len(again) > 3 else ""
        found.notes.append(f"columns of the same name are renamed: the next {', '.join(again[:3])}{more}")


def drop_repeated_headers(found: TextTable, given: Sequence[str]) -> None:
    wanted = [name.lower() for name in given]
    again = [at for at, (_, row) in enumerate(found.rows) if [text.strip().lower() for text in row] == wanted]
    if again:
        found.leave_out(
            f"{counted(len(again), 'line that repeats', 'lines that repeat')} the header, "
            f"the first in line {found.rows[again[0]][0]:,}"
        )
        for at in reversed(again):
            del found.rows[at]


def drop_units(found: TextTable) -> None:
    """Leave out a second line of names or units: it has texts wherever all other rows have numbers."""
    if len(found.rows) < 3:
        return
    second, rest = found.rows[0][1], [row for _, row in found.rows[1:LOOKED_AT]]
    numeric, recurring = [], False
    for at, text in enumerate(map(str.strip, second)):
        column = [row[at].strip() for row in rest if at < len(row)]
        filled = [value for value in column if value.lower() not in NO_VALUE]
        if filled and sum(map(is_numeric, filled)) >= 0.9 * len(filled):
            numeric.append(text)
        else:
            recurring = recurring or (bool(text) and text in column)
    named = [text for text in numeric if text.lower() not in NO_VALUE]
    if (
        named
        and not recurring
        and not any(any(map(str.isdigit, text)) for text in named)
        and 2 * len(named) > len(numeric)
    ):
        found.leave_out(f"line {found.rows[0][0]:,}, a second header: '{', '.join(named)[:40]}'")
        del found.rows[0]


def drop_empty_columns(found: TextTable, given: Sequence[str]) -> None:
    """Leave out columns that have neither a name nor a value."""
    empty = [
        at
        for at, name in enumerate(given)
        if not name and found.header and not any(at < len(row) and row[at].strip() for _, row in found.rows)
    ]
    if empty and found.rows:
        found.leave_out(f"{counted(len(empty), 'column')} without names and values")
        for at in reversed(empty):
            del found.names[at]
            for _, row in found.rows:
                del row[at : at + 1]
