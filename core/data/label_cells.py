"""Cells that hold several labels in one text, such as ``red|green``."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from core.data.targets import in_class_order

__all__ = ["find_separator", "label_columns", "split_cell"]

SEPARATORS = ("|", ";", ",")
NAMES_OF_SEVERAL = ("tags", "labels", "attributes", "genres", "topics", "keywords")
"""Names of columns in which blanks may separate labels, too."""
MIN_SHARE = 0.05
"""Part of the cells that have the separator, from which they may hold several labels."""
MIN_RECURRENCE = 3
"""Cells that a label stands in, on average, from which words are labels and not, say, the parts of a name."""
MAX_WORD = 40
"""Letters of the longest label."""


def split_cell(cell: str, separator: str) -> list[str]:
    """Return the labels of a cell, without blanks around them and without empty ones."""
    return [word for part in cell.split(separator) if (word := part.strip())]


def find_separator(cells: Sequence[str] | Mapping[str, int], name: str, *, asked: bool = False) -> str | None:
    """Return what separates the labels of cells, where it is clear that they hold several; else None.

    It is clear where a twentieth of the cells have the separator, and the words between are short, recur, and are
    fewer than the different cells. A comma also needs words that stand alone as well, which the parts of an
    address or of a name do not.

    Args:
        cells: all of them, or the different ones with their numbers.
        name: of the column.
        asked: several labels are known to be there, so the separator of most cells is taken.
    """
    blank = (" ",) if name.strip().lower() in NAMES_OF_SEVERAL else ()
    cells = Counter(cells)
    counts = {
        each: sum(count for cell, count in cells.items() if each in cell.strip())
        for each in (*SEPARATORS, *blank)
    }
    if asked:
        best = max(counts, key=lambda separator: counts[separator])
        return best if counts[best] else None
    return next((each for each in counts if counts[each] and _is_clear(cells, each, counts[each])), None)


def _is_clear(cells: Mapping[str, int], separator: str, having: int) -> bool:
    filled = {cell: count for cell, count in cells.items() if cell.strip()}
    if having < max(2, MIN_SHARE * sum(filled.values())):
        return False
    words = Counter[str]()
    for cell, count in filled.items():
        words.update(dict.fromkeys(split_cell(cell, separator), count))
    if not words or max(map(len, words)) > MAX_WORD or words.total() < MIN_RECURRENCE * len(words):
        return False
    different = {frozenset(split_cell(cell, separator)) for cell in filled}
    alone = {next(iter(found)) for found in different if len(found) == 1}
    if separator != ",":
        return len(words) < len(different) or bool(alone)
    several = {word for found in different if len(found) > 1 for word in found}
    return len(words) < len(different) and bool(alone & several)


def label_columns(cells: Sequence[str], separator: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return which labels each cell holds, uint8 (n, labels), and their names in order; an empty cell holds none."""
    held = [split_cell(cell, separator) for cell in cells]
    names = in_class_order({word for words in held for word in words})
    place = {name: at for at, name in enumerate(names)}
    columns = np.zeros((len(cells), len(names)), dtype=np.uint8)
    for row, words in enumerate(held):
        columns[row, [place[word] for word in words]] = 1
    return columns, tuple(names)
