"""Texts and numbers that stand for a missing value.

Only the standard library is imported: an exported model reads new rows with a copy of this module.
"""

import re
from collections.abc import Sequence

__all__ = ["ABSENT_WORDS", "CLASS_WORDS", "is_missing", "missing_numbers", "missing_texts"]

ABSENT_WORDS = frozenset(
    re.findall(
        r"\S+",
        "unknown missing undefined undef n.a n.a. n/d n.d. s/d k.a. #div/0! #ref! #value! #num! #name? #null! "
        "inf +inf -inf infinity +infinity -infinity ∞ -∞ tbd tba n/k nil -- --- ---- – — … ... .. * ** *** x? # ## ### "
        "unbekannt inconnu inconnue desconocido desconhecido sconosciuto onbekend ukjent okänd неизвестно нет "
        "不明 无 暂无 未知 なし 없음 nr",
    )
) | {
    "not available",
    "not applicable",
    "not known",
    "no data",
    "keine angabe",
    "non disponible",
    "sin datos",
    "нет данных",
}
"""Words that count as missing in a column of numbers or dates, and are reported; never in one of texts."""
CLASS_WORDS = frozenset({"none", "na", "nan", "null", "n/a", "-", ".", "nil"})
"""Texts for a missing value that may be a class as well: no allergy, Namibia, a minus sign."""


def missing_texts(missing: Sequence[str]) -> frozenset[str]:
    """Return the texts for a missing value as `is_missing` compares them."""
    return frozenset({"", *(text.strip().lower() for text in missing)})


def missing_numbers(missing: Sequence[str]) -> tuple[float, ...]:
    """Return the numbers among the texts for a missing value, such as -999, however they are written."""
    numbers = []
    for text in missing:
        try:
            value = float(text)
        except ValueError:
            continue
        if value == value and abs(value) != float("inf"):
            numbers.append(value)
    return tuple(numbers)


def is_missing(text: str, texts: frozenset[str]) -> bool:
    """Return whether a text stands for a missing value, in whatever case."""
    return text.strip().lower() in texts
