"""Lines of a text file as rows, and the separator between their fields.

Only the standard library is imported: an exported model reads new rows with a copy of this module.
"""

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator

__all__ = [
    "BLANKS",
    "NO_VALUE",
    "SEPARATOR_LINE",
    "Row",
    "find_separator",
    "has_unusual_quotes",
    "is_numeric",
    "split_lines",
]

SEPARATORS = (",", ";", "\t", "|")
BLANKS = " "
"""Stands for one or more blanks between the fields."""
FIELD_CHARACTERS = 1 << 24
SEPARATOR_LINE = re.compile(r'\s*"?sep=(.)"?\s*')
NUMBER = re.compile(r"\s*[-+−(]?[$€£¥]?\s?[-+]?(\d[\d.,' \u00a0]*|\.\d+)([eE][+-]?\d+)?\s?%?\)?\s*")
NO_VALUE = {"", "?", "na", "n/a", "nan", "null", "none", "-", "."}
ESCAPED_QUOTE = re.compile(r'\\"(?![",;\t|\r\n]|$)')
"""Not at the end of a field, where the backslash stands for itself."""
SAMPLE_LINES = 200
"""Lines from which a separator is found."""

Row = tuple[int, list[str]]
"""The line, from 1, in which a row begins, and its fields."""


def split_lines(text: str, separator: str) -> Iterator[Row]:
    """Return the rows of a text, empty ones too.

    Raises:
        csv.Error: a field is too long.
    """
    csv.field_size_limit(FIELD_CHARACTERS)
    text = text.removeprefix("\ufeff").rstrip("\x1a\0")
    if ESCAPED_QUOTE.search(text):
        text = text.replace('\\"', '""')
    lines: Iterable[str] = io.StringIO(text, newline="")
    if separator == BLANKS:
        lines = (line.strip() for line in lines)
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True)
    line = 1
    for row in reader:
        yield line, row
        line = reader.line_num + 1


def has_unusual_quotes(text: str, separator: str) -> bool:
    """Return whether fields are quoted behind a blank, or quotation marks have a backslash before them."""
    behind_blank = rf'{re.escape(separator)} +"[^"\r\n{re.escape(separator)}]'
    return ESCAPED_QUOTE.search(text) is not None or re.search(behind_blank, text) is not None


def find_separator(text: str) -> tuple[str, bool]:
    """Return the separator that gives most lines the same number of fields, and whether a line of the file names it."""
    lines = [
        line
        for line in itertools.islice(io.StringIO(text.lstrip("\ufeff\r\n")), SAMPLE_LINES)
        if line.strip()
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


def is_numeric(text: str) -> bool:
    """Return whether a text is a number, as people write it."""
    return NUMBER.fullmatch(text) is not None
