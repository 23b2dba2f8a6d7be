"""Means of numbers that come one by one, as floats or as tensors of one value."""

import re
from collections.abc import Mapping
from typing import Any

from core.errors import DataError

__all__ = ["Means"]


class Means:
    """Adds up by name; tensors stay where they are until the means are taken, so nothing waits for a GPU."""

    def __init__(self) -> None:
        self._totals: dict[str, Any] = {}
        self._counts: dict[str, int] = {}

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> dict[str, float]:
        """Some values as floats, by names without spaces."""
        means = cls()
        means.add(values)
        return means.take()

    def add(self, values: Mapping[str, Any], n: int = 1) -> None:
        """Take in one value for each name, which is the mean of n samples.

        Raises:
            DataError: a value is not a number, or a tensor of several; n is not a positive number.
        """
        if not n > 0:
            raise DataError(f"n: got {n!r}", "Give the number of samples, such as len(batch)")
        for name, value in values.items():
            key = re.sub(r"\s+", "_", str(name))
            plain = n * _plain(key, value)
            self._totals[key] = self._totals[key] + plain if key in self._totals else plain
            self._counts[key] = self._counts.get(key, 0) + n

    def take(self) -> dict[str, float]:
        """The mean for each name since the last time."""
        means = {name: float(total) / self._counts[name] for name, total in self._totals.items()}
        self._totals, self._counts = {}, {}
        return means


def _plain(name: str, value: Any) -> Any:
    """The value as a float, or as a tensor of one number that takes no part in gradients."""
    if hasattr(value, "detach"):
        if value.numel() != 1:
            raise DataError(
                f"{name}: got a tensor of shape {tuple(value.shape)}", "Give one number, such as its mean"
            )
        return value.detach()
    try:
        return float(value)
    except (TypeError, ValueError):
        raise DataError(f"{name}: got {value!r:.60}", "Give a number, or a tensor of one") from None
