"""The table in a text file: its separator, its header, its rows, and the lines around them.

Only the standard library is imported: an exported model reads new rows with a copy of this module.
"""

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

__all__ = ["BLANKS", "TextTable", "ends_regularly", "find_separator", "find_table", "split_lines"]

SEPARATORS = (",", ";", "\t", "|")
BLANKS = " "
"""Stands for one or more blanks between the fields."""
FIELD_CHARACTERS = 1 << 24
SEPARATOR_LINE = re.compile(r'\s*"?sep=(.)"?\s*')
COMMENT = re.compile(r"\s*(#|%|//)")
NUMBER = re.compile(r"\s*[-+−(]?[$€£¥]?\s?[-+]?(\d[\d.,' \u00a0]*|\.\d+)([eE][+-]?\d+)?\s?%?\)?\s*")
NO_VALUE = {"", "?", "na", "n/a", "nan", "null", "none", "-", "."}
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
        "mittelwert",
    ),
    *(
        "somme",
        "moyenne",
        "suma",
        "soma",
        "totale",
        "totaal",
        "media",
        "итого",
        "всего",
        "合计",
        "总计",
        "合計",
    ),
}
LOOKED_AT = 200
"""Rows from which a table's width and header are found."""
TAIL = 8
"""Rows at the end among which totals are looked for."""

Row = tuple[int, list[str]]
"""The line, from 1, in which a row begins, and its fields."""


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


def split_lines(text: str, separator: str) -> Iterator[Row]:
    """Return the rows of a text, empty ones too.

    Raises:
        csv.Error: a field is too long.
    """
    csv.field_size_limit(FIELD_CHARACTERS)
    lines = io.StringIO(text.removeprefix("\ufeff").rstrip("\x1a\0"), newline="")
    if separator == BLANKS:
        reader = csv.reader((line.strip() for line in lines), delimiter=" ", skipinitialspace=True)
    else:
        reader = csv.reader(lines, delimiter=separator)
    line = 1
    for row in reader:
        yield line, row
        line = reader.line_num + 1


def find_separator(text: str) -> tuple[str, bool]:
    """Return the separator that gives most lines the same number of fields, and whether a line of the file names it."""
    lines = [
        line for line in itertools.islice(io.StringIO(text.lstrip("\ufeff\r\n")), LOOKED_AT) if line.strip()
    ]
    if lines and (named := SEPARATOR_LINE.fullmatch(lines[0])):
        return named[1], True
    sample = "".join(lines)
    scores = {separator: _evenness(sample, separator) for separator in SEPARATORS}
    best = max(SEPARATORS, key=lambda separator: scores[separator])
    if scores[best][1] < 2 and (blanks := _evenness(sample, BLANKS))[1] > 1 and blanks[0] > 0.9:
        return BLANKS, False
    return best, False


def _evenness(sample: str, separator: str) -> tuple[float, int]:
    """Part of the lines with the most frequent number of fields, 0 where that is one, and that number."""
    try:
        widths = Counter(len(row) for _, row in split_lines(sample, separator) if row)
    except csv.Error:
        return 0.0, 0
    if not widths:
        return 0.0, 0
    width, count = max(widths.items(), key=lambda item: (item[0] > 1, item[1], item[0]))
    share = count / widths.total()
    return (share if share > 0.5 else share / 10, width) if width > 1 else (0.0, 1)


def find_table(rows: Iterable[Row], header: bool | None) -> TextTable:
    """Find names and rows among the lines of a file.

    Args:
        header: whether the first line of the table names its columns; None looks at it.
    """
    body = [row for row in rows if any(map(str.strip, row[1]))]
    found = TextTable([], body, bool(header))
    if not body:
        return found
    width = _width(body)
    _drop_above(found, width)
    _drop_below(found, width)
    if not found.rows:
        return found
    if header is None:
        found.header = header = _is_header(found.rows[0][1], [row for _, row in found.rows[1:LOOKED_AT]])
        if not header:
            found.notes.append(
                "the first line holds values, so that columns are named column_1, column_2 ...; "
                "data.header=yes takes it for names"
            )
    given = [name.strip() for name in found.rows.pop(0)[1]] if header else [""] * width
    _fit_widths(found, given)
    if header:
        _drop_repeated_headers(found, given)
        _drop_units(found)
    found.names = [name or f"column_{place}" for place, name in enumerate(given, start=1)]
    _rename_repeated(found)
    _drop_empty_columns(found, given)
    found.regular = found.regular and all(len(row) == len(found.names) for _, row in found.rows)
    return found


def _width(rows: Sequence[Row]) -> int:
    """The most frequent number of fields."""
    widths = Counter(len(row) for _, row in rows[: 10 * LOOKED_AT])
    return max(widths, key=lambda width: (widths[width], width))


def _alone(row: Sequence[str], width: int) -> bool:
    """Return whether only the first field of a row holds something, and no number."""
    return (
        width > 1
        and bool(row)
        and bool(row[0].strip())
        and not any(map(str.strip, row[1:]))
        and not _numeric(row[0])
    )


def _drop_above(found: TextTable, width: int) -> None:
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
            f"{len(comments):,} lines of comments, the first in line {found.rows[comments[0]][0]:,}"
        )
        for at in reversed(comments):
            del found.rows[at]


def _followed_by_comment(rows: Sequence[Row], at: int) -> bool:
    return at + 1 < len(rows) and COMMENT.match("".join(rows[at + 1][1])) is not None


def _drop_below(found: TextTable, width: int) -> None:
    """Leave out sources, notes and totals at the end."""
    last = len(found.rows)
    while last > 2 and (_alone(found.rows[last - 1][1], width) and len(found.rows) - last < 10 * TAIL):
        last -= 1
    below = found.rows[last:]
    if below and not _usual_row(below[0][1], found.rows[:last]):
        found.leave_out(
            f"{len(below):,} lines below the table, from line {below[0][0]:,}: '{below[0][1][0].strip()[:40]}'"
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


def _is_header(first: Sequence[str], rest: Sequence[Sequence[str]]) -> bool:
    """Return whether the first row names the columns: no numbers where others have them, no text twice."""
    if not rest:
        return True
    columns = [[row[at].strip() for row in rest if at < len(row)] for at in range(len(first))]
    columns = [[text for text in column if text.lower() not in NO_VALUE] for column in columns]
    numeric = [
        at for at, column in enumerate(columns) if column and sum(map(_numeric, column)) >= 0.9 * len(column)
    ]
    given = [first[at].strip() for at in numeric]
    if numeric:
        values = [text for text in given if _numeric(text)]
        if _counts_up(values):
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


def _numeric(text: str) -> bool:
    return NUMBER.fullmatch(text) is not None


def _fit_widths(found: TextTable, given: list[str]) -> None:
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


def _rename_repeated(found: TextTable) -> None:
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


def _drop_repeated_headers(found: TextTable, given: Sequence[str]) -> None:
    wanted = [name.lower() for name in given]
    again = [at for at, (_, row) in enumerate(found.rows) if [text.strip().lower() for text in row] == wanted]
    if again:
        found.leave_out(
            f"{len(again):,} lines that repeat the header, the first in line {found.rows[again[0]][0]:,}"
        )
        for at in reversed(again):
            del found.rows[at]


def _drop_units(found: TextTable) -> None:
    """Leave out a second line of names or units: it has texts wherever all other rows have numbers."""
    if len(found.rows) < 3:
        return
    second, rest = found.rows[0][1], [row for _, row in found.rows[1:LOOKED_AT]]
    numeric, recurring = [], False
    for at, text in enumerate(map(str.strip, second)):
        column = [row[at].strip() for row in rest if at < len(row)]
        filled = [value for value in column if value.lower() not in NO_VALUE]
        if filled and sum(map(_numeric, filled)) >= 0.9 * len(filled):
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


def _drop_empty_columns(found: TextTable, given: Sequence[str]) -> None:
    """Leave out columns that have neither a name nor a value."""
    empty = [
        at
        for at, name in enumerate(given)
        if not name and found.header and not any(at < len(row) and row[at].strip() for _, row in found.rows)
    ]
    if empty and found.rows:
        found.leave_out(f"{len(empty):,} columns without names and values")
        for at in reversed(empty):
            del found.names[at]
            for _, row in found.rows:
                del row[at : at + 1]


def ends_regularly(rows: Iterable[Row], width: int) -> bool:
    """Return whether the last rows of a file belong to its table."""
    body = [row for row in rows if any(map(str.strip, row[1]))]
    found = TextTable([], body, False)
    if len(body) > 1:
        _drop_below(found, width)
    return found.regular
