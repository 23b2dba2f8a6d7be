"""Columns of numbers made fit for float32: heavy tails are clipped, and what they all have in common is taken out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Conditioning"]

ROWS_AT_ONCE = 65_536


@dataclass(frozen=True, eq=False)
class Conditioning:
    """Clips columns, then subtracts an offset from each, in float64; what remains is float32.

    Attributes:
        low, high: (features,) float64 limits; infinite where a column is not clipped.
        offset: (features,) float64; 0 where float32 holds a column as it is.
    """

    low: np.ndarray
    high: np.ndarray
    offset: np.ndarray

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Return inputs, float32 (n, features), of values in the unit of the data, (n, features)."""
        made = np.empty(values.shape, np.float32)
        for at in range(0, len(values), ROWS_AT_ONCE):
            made[at : at + ROWS_AT_ONCE] = self.of_rows(values[at : at + ROWS_AT_ONCE])
        return made

    def of_rows(self, values: np.ndarray) -> np.ndarray:
        """Return what `apply` makes of some rows, float64."""
        return np.asarray(values.astype(np.float64).clip(self.low, self.high) - self.offset)

    def of_columns(self, some: slice) -> Callable[[np.ndarray], np.ndarray]:
        """Return what `of_rows` does to some columns alone."""
        return Conditioning(self.low[some], self.high[some], self.offset[some]).of_rows

    def undo(self, inputs: "Tensor") -> "Tensor":
        """Return inputs, (n, features), in the unit of the data, float64; what was clipped stays so."""
        import torch

        return inputs.double() + torch.from_numpy(self.offset)

    def plain(self) -> dict[str, list[float | None]]:
        """Return plain values, fit for JSON, which `from_plain` reads back."""
        return {
            "low": [None if np.isinf(value) else float(value) for value in self.low],
            "high": [None if np.isinf(value) else float(value) for value in self.high],
            "offset": self.offset.tolist(),
        }

    @classmethod
    def from_plain(cls, values: dict[str, Any]) -> "Conditioning":
        """Return what plain values describe.

        Raises:
            KeyError, TypeError, ValueError: they describe none.
        """
        low = [-np.inf if value is None else value for value in values["low"]]
        high = [np.inf if value is None else value for value in values["high"]]
        columns = (np.array(column, dtype=np.float64) for column in (low, high, values["offset"]))
        return cls(*columns)
