"""Texts beside the numbers of a row: they may name its split or its metric, or be numbers in another spelling."""

import re
from collections.abc import Mapping
from dataclasses import replace

from core.interop.readers.formats.columns import LogColumns, counts_rows
from core.interop.readers.names import SPLIT_NAMES, place_of, words_of
from core.metrics import has_direction

__all__ = ["RowTexts", "is_wanted", "number_in"]

METRICS = frozenset(("metric", "metric_name", "name", "key", "tag", "variable", "measure"))
"""Columns that name what stands in a column `VALUE`, where each row holds one number."""
VALUE = "value"
RUNS = frozenset(
    ("run", "run_id", "run_name", "experiment", "trial", "fold", "fold_id", "kfold", "cv_fold", "seed")
)
"""Columns that tell several runs in one file apart."""
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")


def number_in(text: str) -> float | None:
    """Return the number that a text is, None if it is none.

    A percentage is a fraction, and a single comma is a decimal one where it cannot part thousands: ``0,5``.
    """
    plain = text.strip()
    percent = plain.endswith("%")
    plain = plain.removesuffix("%").rstrip()
    if plain.count(",") == 1 and not THOUSANDS.fullmatch(plain):
        plain = plain.replace(",", ".")
    try:
        return float(plain) / (100 if percent else 1)
    except ValueError:
        return None


def is_wanted(name: str) -> bool:
    """Return whether a column must hold numbers: steps, epochs, or a metric that is known."""
    return counts_rows(name) or has_direction(place_of(name)[1])


class RowTexts:
    """Names the numbers of rows as their texts say, and reports what cannot be read, once a column.

    Args:
        file: name of the log.
    """

    def __init__(self, file: str) -> None:
        self._file = file
        self.forget()

    def forget(self) -> None:
        """Start over."""
        self._reported: set[str] = set()
        self._runs: dict[str, object] = {}

    def apply(
        self,
        columns: LogColumns,
        numbers: Mapping[str, float],
        texts: Mapping[str, str],
        problems: list[str],
    ) -> tuple[LogColumns, dict[str, float]]:
        """Return the columns and numbers of a row under the names that its texts give them."""
        self._report(numbers, texts, problems)
        split = next((found for text in texts.values() if (found := text.strip().lower()) in SPLIT_NAMES), "")
        metric = next((text.strip() for name, text in texts.items() if name.lower() in METRICS), "")
        names: dict[str, str] = {}
        for name in columns.numbers:
            called = metric if metric and name.lower() == VALUE else name
            is_named = not split or not SPLIT_NAMES.keys().isdisjoint(words_of(called))
            names[name] = called if is_named else f"{split}/{called}"
        renamed = {names.get(name, name): number for name, number in numbers.items()}
        return replace(columns, numbers=tuple(names.values())), renamed

    def _report(self, numbers: Mapping[str, float], texts: Mapping[str, str], problems: list[str]) -> None:
        for name, text in texts.items():
            if name not in self._reported and is_wanted(name) and any(map(str.isdigit, text)):
                self._reported.add(name)
                problems.append(
                    f"{self._file}: '{text.strip()[:40]}' in {name} is not a number; such values are left out"
                )
        for name, value in [*numbers.items(), *texts.items()]:
            if name.lower() not in RUNS:
                continue
            if name not in self._reported and self._runs.setdefault(name, value) != value:
                self._reported.add(name)
                problems.append(
                    f"{self._file} holds several runs, by its column {name}: where their steps overlap only the "
                    "last one is shown; write each to a file of its own to see all"
                )
