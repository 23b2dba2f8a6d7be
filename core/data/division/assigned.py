"""Splits that are given: a column of train, validation and test, in any usual spelling."""

import re
from collections import Counter

import numpy as np

from core.counting import counted
from core.data.division.by import SPLITS, is_absent
from core.data.images.folder_names import split_of
from core.data.tables.values.reading import quoted
from core.errors import DataError

__all__ = ["assign", "split_word"]

TRUE, FALSE = ("true", "1", "1.0", "yes", "t", "y"), ("false", "0", "0.0", "no", "f", "n")
MAX_SHOWN = 6
NOT_LETTERS = re.compile(r"[\W\d_]+")
"""Between the words of a split, as in hold-out."""


def split_word(text: str) -> int | None:
    """Return the position in `SPLITS` of a split's name in any usual spelling; None for any other text."""
    found = split_of(text) or split_of(NOT_LETTERS.sub("", text))
    return SPLITS.index(found[0]) if found is not None and not found[1] else None


def assign(values: np.ndarray, name: str) -> tuple[np.ndarray, list[str]]:
    """Return the split that each sample is assigned to, as in `SplitBy`, and notes on how the values were read.

    Args:
        values: (n,) names of splits; or whether a sample is in the split that `name` says, such as is_test.

    Raises:
        DataError: a value is no split.
    """
    texts = [("" if is_absent(value) else str(value).strip()) for value in values.tolist()]
    counts = Counter(texts)
    places = {text: _place(text, name) for text in counts}
    odd = [text for text, place in places.items() if place is None]
    if odd:
        listed = ", ".join(quoted(text) for text in odd[:MAX_SHOWN]) + (
            " ..." if len(odd) > MAX_SHOWN else ""
        )
        raise DataError(
            f"data.split: {name} holds {listed}, where train, validation or test is taken",
            "Correct these values, or give another column; samples without a value are left out",
        )
    assigned = np.array([places[text] for text in texts], dtype=np.int8)
    read = ", ".join(
        f"{quoted(text)} is {SPLITS[place]} ({counts[text]:,})"
        for text, place in sorted(places.items(), key=lambda item: (item[1] or 0, item[0]))
        if place is not None and place >= 0
    )
    notes = [f"split by {name}: {read}"]
    if counts[""]:
        notes.append(f"left out {counted(counts[''], 'sample')} without a split in {name}")
    return assigned, notes


def _place(text: str, name: str) -> int | None:
    """The position of a split in `SPLITS`, -1 for no value; None for a text that is no split."""
    if not text:
        return -1
    said = split_word(name.removeprefix("is_").removeprefix("in_"))
    lower = text.lower()
    if said is not None and lower in TRUE:
        return said
    if said is not None and lower in FALSE:
        return SPLITS.index("test") if said == 0 else 0
    return split_word(text)
