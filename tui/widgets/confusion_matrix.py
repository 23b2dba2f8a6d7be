"""Content of a confusion grid: counts, shares, class names, the order of the mistakes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from typing import Literal

import numpy as np
from rich.cells import cell_len, set_cell_size

from tui.terminal.text import UNKNOWN, clean, count, fit, percent, si

__all__ = ["NOTHING", "ConfusionMatrix", "Normalise"]

Normalise = Literal["count", "row", "column"]

NOTHING = "·"
NAMELESS = "∅"
ROOM_FOR_ELLIPSIS = 5
LONGEST_COUNT = 99_999
"""Larger counts are written with a metric prefix, so that one large class does not widen every column."""


@dataclass(frozen=True)
class ConfusionMatrix:
    """Counts by true class (row) and predicted class (column), with what follows from them.

    Attributes:
        counts: int64, shape (c, c).
        names: the c class names, cleaned, not cut; ``∅`` for an empty one.
        true_totals: samples of each true class, shape (c,).
        predicted_totals: predictions of each class, shape (c,).
        worst: the largest row share of a mistake, 0 to 1.
        together: the cells count labels of a sample that stand together, and none is a mistake.
    """

    counts: np.ndarray
    names: tuple[str, ...]
    true_totals: np.ndarray
    predicted_totals: np.ndarray
    worst: float
    together: bool = False

    @classmethod
    def of(
        cls,
        counts: np.ndarray,
        class_names: Sequence[str],
        totals: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> "ConfusionMatrix":
        """Return the content of a square matrix.

        Args:
            totals: of labels that stand together, how often each is true and predicted, (c,) each.

        Raises ValueError unless there is one name for each row and column.
        """
        counts = np.array(counts, dtype=np.int64)
        if counts.shape != (len(class_names), len(class_names)):
            raise ValueError(f"a confusion matrix of shape {counts.shape} for {len(class_names)} class names")
        true_totals, predicted_totals = totals or (counts.sum(axis=1), counts.sum(axis=0))
        shares = counts / np.maximum(true_totals, 1)[:, None]
        np.fill_diagonal(shares, 0)
        return cls(
            counts=counts,
            names=tuple(clean(name) if name.strip() else NAMELESS for name in class_names),
            true_totals=true_totals,
            predicted_totals=predicted_totals,
            worst=float(shares.max(initial=0)),
            together=totals is not None,
        )

    def __len__(self) -> int:
        return len(self.names)

    def share(self, true: int, predicted: int, normalise: Normalise = "row") -> float | None:
        """The cell's part of its row or column, 0 to 1; None when that row or column has no samples."""
        total = self.predicted_totals[predicted] if normalise == "column" else self.true_totals[true]
        return float(self.counts[true, predicted] / total) if total else None

    def depth(self, true: int, predicted: int) -> float:
        """Return the depth of a cell's colour, 0 to 1: by row share; for mistakes, relative to the worst."""
        share = self.share(true, predicted) or 0.0
        return share if self.is_right(true, predicted) or not share else share / self.worst

    def is_right(self, true: int, predicted: int) -> bool:
        """Return whether a cell holds no mistakes."""
        return self.together or true == predicted

    def text(self, true: int, predicted: int, normalise: Normalise) -> str:
        """The number in a cell: ``22``, ``2.2`` (per cent), ``·`` for zero, ``–`` for a share of nothing."""
        n = int(self.counts[true, predicted])
        if normalise == "count":
            return _short(n) if n else NOTHING
        share = self.share(true, predicted, normalise)
        if share is None:
            return UNKNOWN
        return percent(share) if n else NOTHING

    def short_name(self, label: int, width: int) -> str:
        """The class name in at most ``width`` cells; a long one drops the prefix that all names share: ``…_027``.

        In very few cells the first letters are more useful than fewer letters and an ellipsis, and one letter
        is useless.
        """
        name = self.names[label]
        if cell_len(name) <= width:
            return name
        telling = name[self._shared_start :]
        if width < ROOM_FOR_ELLIPSIS:
            return set_cell_size(telling, width) if width > 1 else ""
        return fit(f"…{telling}" if telling != name else name, width).rstrip()

    @cached_property
    def _shared_start(self) -> int:
        """Return the length of the common beginning of all class names; 0 where leaving it out gains nothing."""
        # A prefix shared by the first and the last in alphabetical order is shared by all.
        first, last = min(self.names), max(self.names)
        same = takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
        shared = min(len(list(same)), min(map(len, self.names)) - 1)
        return shared if shared > 1 else 0

    def text_width(self, normalise: Normalise) -> int:
        """Cells that the longest ``text`` needs."""
        if normalise != "count":
            return len("99.9")
        largest = int(self.counts.max(initial=0))
        return len("1.23M") if largest > LONGEST_COUNT else len(_short(largest))

    def caption(self, true: int, predicted: int, normalise: Normalise = "count") -> str:
        """The cell in words: ``true 4 → predicted 9: 22 of 982 (2.2 %)``; by column, of those predicted 9."""
        by_column = normalise == "column"
        total = self.predicted_totals[predicted] if by_column else self.true_totals[true]
        share = percent(self.share(true, predicted, normalise))
        counted = f"{count(int(self.counts[true, predicted]))} of {count(int(total))}"
        whole = f"{counted} predicted" if by_column else counted
        unit = "" if share == UNKNOWN else " %"
        if self.together:
            return f"{self.names[predicted]} predicted with {self.names[true]} true: {whole} ({share}{unit})"
        return f"true {self.names[true]} → predicted {self.names[predicted]}: {whole} ({share}{unit})"

    @cached_property
    def mistakes(self) -> np.ndarray:
        """Flat indices of the cells off the diagonal that are not zero, the largest count first."""
        wrong = self.counts.copy()
        np.fill_diagonal(wrong, 0)
        if self.together:
            wrong[:] = 0
        cells = np.flatnonzero(wrong)
        return cells[np.argsort(-wrong.ravel()[cells], kind="stable")]


def _short(n: int) -> str:
    return str(n) if n <= LONGEST_COUNT else si(n)
