"""Ids of tokens that a user made: which of them training knows, and what stands for the others."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["TokenIds"]


@dataclass(frozen=True)
class TokenIds:
    """Ids from 0 to the largest one of train; one more stands for all others.

    Attributes:
        known: how many train has, from 0 on.
        padding: the id that fills short sequences; None for none.
    """

    known: int
    padding: int | None = None

    @property
    def size(self) -> int:
        """Return the number of ids that a network looks up."""
        return self.known + 1

    def ids(self, given: np.ndarray) -> np.ndarray:
        """Return ids with those that train does not know replaced, int64."""
        return np.where((given >= 0) & (given < self.known), given, self.known).astype(np.int64)

    def unknown(self, given: np.ndarray) -> int:
        """Count the ids that train does not know."""
        return int(np.count_nonzero((given < 0) | (given >= self.known)))

    def texts(self, ids: np.ndarray) -> str:
        """Return a sequence (length,) as a text, without what fills it."""
        return " ".join(str(one) for one in ids.tolist() if one != self.padding)

    def plain(self) -> dict[str, Any]:
        """Return plain values, fit for JSON, which `from_plain` reads back."""
        return {"by": "ids", "known": self.known, "padding": self.padding}

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> "TokenIds":
        """Return what plain values describe.

        Raises:
            KeyError, TypeError, ValueError: they describe none.
        """
        padding = values["padding"]
        return cls(int(values["known"]), None if padding is None else int(padding))
