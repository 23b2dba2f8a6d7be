"""Rows of a text file that add up other rows: totals and subtotals, known by their names and by their numbers.

Only the standard library is imported: an exported model reads new rows with a copy of this module.
"""

from collections import defaultdict
from collections.abc import Sequence, Set
from itertools import accumulate

from core.data.tables.files.text_rows import Row
from core.data.tables.values.numbers import plain_digits, split_number

__all__ = ["adding_rows", "names_total"]

TOTALS = {
    *(
        "total",
        "totals",
        "subtotal",
        "subtotals",
        "sum",
        "average",
        "mean",
        "summe",
        "summen",
        "teilsumme",
        "zwischensumme",
        "zwischenergebnis",
        "teilergebnis",
        "ergebnis",
        "gesamt",
        "insgesamt",
        "gesamtergebnis",
        "gesamtsumme",
        "mittelwert",
    ),
    *(
        "somme",
        "sous-total",
        "moyenne",
        "suma",
        "soma",
        "totale",
        "subtotale",
        "totaal",
        "subtotaal",
        "eindtotaal",
        "media",
        "média",
        "итого",
        "всего",
    ),
}
PHRASES = {
    "grand total",
    "sub total",
    "total général",
    "total general",
    "total geral",
    "totale complessivo",
}
ENDINGS = ("合计", "总计", "合計", "总和", "小计", "小計", "総計")
NAMED = 3
"""First fields of a row that may name it."""
NEAR = 5e-4
"""Part of a sum by which rounded parts may miss it."""
STARTS = 40
"""Totals behind each of which, or at the first row, what a total adds up may begin."""
MAX_ASKED = 50
"""Rows of one name that are looked at."""
MOST = 0.8
"""Part of the rows of one name that must add up others for them to be totals rather than a category."""


def names_total(text: str) -> bool:
    """Return whether a text alone names a total: ``Total``, ``Summe:``."""
    text = text.strip(" :*").lower()
    return text in TOTALS or text in PHRASES or text in ENDINGS


def adding_rows(rows: Sequence[Row]) -> list[int]:
    """Return the positions of the rows that are called totals and do add up rows above them.

    A row is called so by one of its first fields, such as ``Subtotal North`` or ``North Total``. Its numbers are sums
    or means of those above it, or it has no text where other rows have one. A category of that name is neither.
    """
    called = {at: name for at, (_, row) in enumerate(rows) if (name := _called(row))}
    if not called:
        return []
    by_name = defaultdict[str, list[int]](list)
    for at, name in called.items():
        by_name[name].append(at)
    asked = {at for places in by_name.values() for at in places[:MAX_ASKED]}
    columns = {at for place in asked for at, text in enumerate(rows[place][1]) if _digits(text)}
    adding = _adding(rows, sorted(called), asked, sorted(columns)) | _lacking_texts(
        rows, called.keys(), asked
    )
    totals = {
        name
        for name, places in by_name.items()
        if sum(at in adding for at in places[:MAX_ASKED]) >= MOST * len(places[:MAX_ASKED])
    }
    return [at for at, name in called.items() if name in totals]


def _called(row: Sequence[str]) -> str:
    """The field that calls a row a total; empty if none does."""
    for text in row[:NAMED]:
        name = text.strip(" :*").lower()
        words = name.split()
        if words and (words[0] in TOTALS or words[-1] in TOTALS or name in PHRASES or name.endswith(ENDINGS)):
            return name
    return ""


def _digits(text: str) -> str:
    parts = split_number(text) if any(map(str.isdigit, text)) else None
    return parts.digits if parts else ""


def _adding(rows: Sequence[Row], called: Sequence[int], asked: Set[int], columns: Sequence[int]) -> set[int]:
    """Return which of the rows asked for add up or average rows above them in half of the columns of numbers."""
    matching: dict[int, list[bool]] = defaultdict(list)
    parts = [True] * len(rows)
    for at in called:
        parts[at] = False
    counts = [0, *accumulate(parts)]
    for column in columns:
        values = _values([row[column] if column < len(row) else "" for _, row in rows])
        sums = [
            0.0,
            *accumulate(value or 0.0 if part else 0.0 for value, part in zip(values, parts, strict=True)),
        ]
        for place, at in enumerate(called):
            wanted = values[at] if at in asked else None
            if wanted:
                starts = {0, *(start + 1 for start in called[max(0, place - STARTS) : place])}
                matching[at].append(any(_fits(sums, counts, start, at, wanted) for start in starts))
    return {at for at, each in matching.items() if 2 * sum(each) >= len(each)}


def _fits(sums: Sequence[float], counts: Sequence[int], start: int, end: int, wanted: float) -> bool:
    added, count = sums[end] - sums[start], counts[end] - counts[start]
    return count > 1 and any(abs(each - wanted) <= NEAR * abs(wanted) for each in (added, added / count))


def _values(texts: Sequence[str]) -> list[float | None]:
    """The numbers of a column, with the decimal mark that reads most of them."""
    split = [split_number(text) if text.strip() else None for text in texts]
    read = []
    for mark in ".,":
        digits = [plain_digits(parts.digits, mark) if parts else None for parts in split]
        read.append(
            [
                (-float(text) if parts.negative else float(text)) if parts and text else None
                for parts, text in zip(split, digits, strict=True)
            ]
        )
    return max(read, key=lambda values: sum(value is not None for value in values))


def _lacking_texts(rows: Sequence[Row], called: Set[int], asked: Set[int]) -> set[int]:
    """Return which of the rows asked for hold no text but their name, where nearly all other rows hold another one."""
    others = [row for at, (_, row) in enumerate(rows) if at not in called]
    width = max((len(row) for row in others), default=0)
    worded = [
        at
        for at in range(width)
        if sum(bool(row[at : at + 1] and row[at].strip() and not _digits(row[at])) for row in others)
        >= 0.9 * len(others)
    ]
    return {
        at
        for at in asked
        if len(worded) > 1 and [bool(rows[at][1][place].strip()) for place in worded].count(True) == 1
    }
