"""Columns whose names and values say that rows belong together, or when they were taken."""

import re
from collections.abc import Iterator

import numpy as np

from core.data.suspicions.columns import Checked, CheckedColumn
from core.data.tables.targets.names import ENTITIES, IDENTIFIERS, words_of

__all__ = ["dates", "repeated_ids"]


def _words(*lines: str) -> frozenset[str]:
    """Return words that are written in lines, with blanks between them."""
    return frozenset(word for line in lines for word in line.split())


DESCRIBES = _words(
    "age sex gender height weight type class group status count number size rate score income education satisfaction",
    "segment lifetime value city country state region years months days length width name",
)
"""Words beside a name that make it that of a kind, such as city name."""
GENERIC = _words("id uuid guid identifier")
BIRTH = _words("birth born dob birthday birthdate geburt geburtsdatum geboren naissance nacimiento")
CODE = re.compile(r"\D*[-_ ]?\d+\D?")
MIN_DIFFERENT, MIN_REPEATED, MIN_MEAN = 6, 0.2, 1.5
MAX_MEAN = 60
"""Rows of each value on average, above which a column called ..._id is a category rather than an id."""
CODE_LENGTH = 2
FEWEST_DATES = 8


def repeated_ids(checked: Checked) -> Iterator[str]:
    """Report columns that identify somebody or something whose rows are in train and in validation or test."""
    for column in checked.columns:
        if column.kind == "date" or not len(column.train):
            continue
        kind = _kind_of_id(column)
        if not kind:
            continue
        train, held = _filled(column.train), _filled(column.held)
        different = _different(column, np.unique(train))
        if different < MIN_DIFFERENT or not len(held):
            continue
        mean = len(train) / different
        shared = float(np.isin(held, train).mean())
        least = 2.0 if kind == "name" else MIN_MEAN
        if (
            shared < MIN_REPEATED
            or mean < least
            or (kind != "entity" and (mean > MAX_MEAN or different < 10))
        ):
            continue
        yield (
            f"{column.name} looks like an id and repeats: {100 * shared:.0f} % of held-out rows have one that is in "
            f"train as well; data.group={column.name} keeps its rows together"
        )


def _different(column: CheckedColumn, values: np.ndarray) -> int:
    """The number of distinct values; texts that differ only in case or blanks are one."""
    if not column.texts:
        return len(values)
    return len({column.texts[code].strip().casefold() for code in values})


def _filled(values: np.ndarray) -> np.ndarray:
    return values[~np.isnan(values)] if values.dtype.kind == "f" else values[values >= 0]


def _kind_of_id(column: CheckedColumn) -> str:
    """Return ``entity``, ``id``, ``name`` or ``code``: why a column may identify what rows belong to; empty if not."""
    words = words_of(column.name)
    whole = column.kind != "number" or bool((_filled(column.train) % 1 == 0).all())
    if not whole or not words:
        return ""
    rest = [word for word in words if word not in ENTITIES]
    if len(rest) < len(words) and all(word in IDENTIFIERS for word in rest) and not _is_count(column, rest):
        return "entity"
    if words[-1] in GENERIC and (len(words) > 1 or column.kind == "text" or _spread(column)):
        return "id"
    if column.kind == "text" and words[-1] == "name" and not DESCRIBES & set(words[:-1]):
        return "name"
    if column.kind == "text" and column.texts and _are_codes(column):
        return "code"
    return ""


def _is_count(column: CheckedColumn, rest: list[str]) -> bool:
    """Return whether numbers called like an entity count them: 0 to a few, with nothing that says id."""
    if column.kind == "text" or rest:
        return False
    values = _filled(column.train)
    return len(values) == 0 or (float(values.min()) >= 0 and float(values.max()) < 10)


def _spread(column: CheckedColumn) -> bool:
    values = _filled(column.train)
    return len(np.unique(values)) >= 10


def _are_codes(column: CheckedColumn) -> bool:
    """Return whether nearly all texts are codes with numbers that differ, such as P001."""
    texts = column.texts
    if len(texts) < 10:
        return False
    codes = [text for text in texts if CODE.fullmatch(text) and sum(map(str.isdigit, text)) >= CODE_LENGTH]
    letters = {re.sub(r"\d+", "#", text) for text in codes}
    return len(codes) >= 0.95 * len(texts) and len(letters) <= 2 and not all(text.isdigit() for text in texts)


def dates(checked: Checked) -> Iterator[str]:
    """Report columns of dates where splits are drawn by chance."""
    for column in checked.columns:
        if column.kind != "date" or BIRTH & set(words_of(column.name)):
            continue
        values = _filled(column.train)
        if len(values) < 0.5 * len(column.train) or len(np.unique(values)) < FEWEST_DATES:
            continue
        yield (
            f"{column.name} holds dates, and the splits are drawn by chance: what came later is trained on; "
            f"data.time={column.name} trains on what came first, and tests on what came last"
        )
