"""Classes that stand in the names of files, such as cat.12.jpg."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath

from core.errors import DataError

__all__ = ["label_pattern", "suggest_pattern"]

SUGGESTED = (
    "{class}.{number}",
    "{class}_{number}",
    "{class}-{number}",
    "{class} ({number})",
    "{class} {number}",
    "{class}{number}",
    "{number}_{class}",
    "{number}-{class}",
    "{class}_*",
    "*_{class}",
)
"""Patterns that are tried in turn."""
PLACES = {"{class}": "(?P<label>.+?)", "{number}": r"\d+", "*": ".*"}
MAX_SUGGESTED_CLASSES = 200


def label_pattern(pattern: str) -> re.Pattern[str]:
    """Return the expression for a pattern such as "{class}.{number}"; it matches names without their last ending.

    Raises:
        DataError: the pattern does not hold one {class}.
    """
    if pattern.count("{class}") != 1:
        raise DataError(
            f"data.pattern: got '{pattern}'",
            "It holds {class} once, and maybe {number} and * for any text, as in '{class}.{number}' for cat.12.jpg",
        )
    parts = re.split(r"(\{class\}|\{number\}|\*)", pattern)
    return re.compile("".join(PLACES.get(part, re.escape(part)) for part in parts), re.DOTALL)


def suggest_pattern(names: Sequence[str]) -> tuple[str, list[str]] | None:
    """Return the pattern by which most names give a few classes that come back, with these classes; or None."""
    stems = [PurePath(name).stem for name in names]
    for pattern in SUGGESTED:
        expression = label_pattern(pattern)
        labels = Counter(match["label"] for stem in stems if (match := expression.fullmatch(stem)))
        frequent = [label for label, count in labels.items() if count > 1 and re.search(r"[^\W\d_]", label)]
        covered = sum(labels[label] for label in frequent)
        few = 2 <= len(frequent) <= min(MAX_SUGGESTED_CLASSES, len(stems) // 4)
        if few and covered >= 0.9 * len(stems):
            return pattern, sorted(frequent)
    return None
