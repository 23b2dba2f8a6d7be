"""Means of numbers that come one by one, as floats or as tensors of one value."""

import re
from collections.abc import Mapping, Sequence
from operator import mul
from typing import Any

from core.errors import DataError

__all__ = ["Means"]

PLAIN = {float, int}
"""Kinds of numbers that are kept as they are; others are checked one by one."""
MAX_ROWS = 1000
"""Of one set of names, before they are added up; tensors stay on their device even then."""

WeightedRow = tuple[float, tuple[Any, ...]]
"""The number of samples, and a value for each name."""


class Means:
    """Adds up by name; tensors stay where they are until the means are taken, so nothing waits for a GPU.

    Values are kept as rows of the same names, and added up column by column: a script may log often.
    """

    def __init__(self) -> None:
        self._rows: dict[tuple[str, ...], list[WeightedRow]] = {}
        self._totals: dict[str, Any] = {}
        self._counts: dict[str, float] = {}

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> dict[str, float]:
        """Some values as floats, by names without spaces."""
        means = cls()
        means.add(values)
        return means.take()

    def add(self, values: Mapping[str, Any], n: float = 1) -> None:
        """Take in one value for each name, which is the mean of n samples.

        Raises:
            DataError: a value is not a number, or a tensor of several; n is not a positive number.
        """
        if not n > 0:
            raise DataError(f"n: got {n!r}", "Give the number of samples, such as len(batch)")
        names, numbers = tuple(values), tuple(values.values())
        if not PLAIN.issuperset(map(type, numbers)):
            numbers = tuple(map(_plain, names, numbers))
        rows = self._rows.setdefault(names, [])
        rows.append((n, numbers))
        if len(rows) >= MAX_ROWS:
            self._add_up(names, self._rows.pop(names))

    def take(self, into: "Means | None" = None) -> dict[str, float]:
        """The mean for each name since the last time.

        Args:
            into: means over more of the same, which take these in, too.

        Raises:
            Exception: of a tensor whose value can no longer be read; all values are dropped then.
        """
        rows, self._rows = self._rows, {}
        for names, of_names in rows.items():
            self._add_up(names, of_names)
        totals, counts = self._totals, self._counts
        self._totals, self._counts = {}, {}
        sums = {name: float(total) for name, total in totals.items()}
        if into is not None:
            for name, total in sums.items():
                into._totals[name] = into._totals.get(name, 0.0) + total
                into._counts[name] = into._counts.get(name, 0) + counts[name]
        return {name: total / counts[name] for name, total in sums.items()}

    def _add_up(self, names: Sequence[str], rows: Sequence[WeightedRow]) -> None:
        """Add rows of the same names to the totals."""
        weights = [n for n, _ in rows]
        count = sum(weights)
        equal = all(n == 1 for n in weights)
        for name, column in zip(names, zip(*(values for _, values in rows), strict=True), strict=True):
            key = re.sub(r"\s+", "_", str(name))
            total = sum(column) if equal else sum(map(mul, weights, column))
            self._totals[key] = self._totals[key] + total if key in self._totals else total
            self._counts[key] = self._counts.get(key, 0) + count


def _plain(name: str, value: Any) -> Any:
    """The value as a float, or as a tensor of one number of its own that takes no part in gradients."""
    if hasattr(value, "detach"):
        if value.numel() != 1:
            raise DataError(
                f"{name}: got a tensor of shape {tuple(value.shape)}", "Give one number, such as its mean"
            )
        if value.is_complex():
            raise DataError(f"{name}: got a complex number", "Give a real one, such as its absolute value")
        return value.detach().clone()
    try:
        return float(value.item() if hasattr(value, "item") else value)
    except (TypeError, ValueError):
        raise DataError(f"{name}: got {value!r:.60}", "Give a number, or a tensor of one") from None
