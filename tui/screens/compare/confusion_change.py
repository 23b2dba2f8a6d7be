"""How the confusion of one run differs from that of another, as the content of a grid."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tui.terminal.text import UNKNOWN, count, percent
from tui.widgets.confusion_matrix import NOTHING, ConfusionMatrix, Normalise

__all__ = ["ConfusionChange"]


@dataclass(frozen=True)
class ConfusionChange(ConfusionMatrix):
    """Counts of one matrix minus those of another; right is what got better, wrong what got worse.

    Attributes:
        counts: int64 (c, c), of `after` minus `before`.
    """

    before: ConfusionMatrix | None = None
    after: ConfusionMatrix | None = None

    @classmethod
    def between(cls, before: np.ndarray, after: np.ndarray, class_names: Sequence[str]) -> "ConfusionChange":
        """Return the change from one matrix of counts to another, (c, c) each."""
        first, second = (ConfusionMatrix.of(counts, class_names) for counts in (before, after))
        change = second.counts - first.counts
        return cls(
            counts=change,
            names=first.names,
            true_totals=first.true_totals,
            predicted_totals=first.predicted_totals,
            worst=float(np.abs(change).max(initial=0)),
            before=first,
            after=second,
        )

    def share(self, true: int, predicted: int, normalise: Normalise = "row") -> float | None:
        """The change of the cell's part of its row or column, -1 to 1; None where either has no samples."""
        assert self.before is not None
        assert self.after is not None
        old, new = (matrix.share(true, predicted, normalise) for matrix in (self.before, self.after))
        return None if old is None or new is None else new - old

    def depth(self, true: int, predicted: int) -> float:
        """Return the depth of a cell's colour, 0 to 1: relative to the largest change."""
        return abs(float(self.counts[true, predicted])) / self.worst if self.worst else 0.0

    def is_right(self, true: int, predicted: int) -> bool:
        """Return whether a cell is better than before: more on the diagonal, fewer mistakes beside it."""
        return bool(self.counts[true, predicted] > 0) == (true == predicted)

    def text(self, true: int, predicted: int, normalise: Normalise) -> str:
        """The change in a cell: ``+22``, ``-2.2`` (points), ``·`` for none."""
        n = int(self.counts[true, predicted])
        if normalise == "count":
            return f"{n:+,}" if n else NOTHING
        share = self.share(true, predicted, normalise)
        if share is None:
            return UNKNOWN
        return f"{100 * share:+.1f}" if share else NOTHING

    def text_width(self, normalise: Normalise) -> int:
        """Cells that the longest ``text`` needs."""
        return len(f"{int(self.worst):+,}") if normalise == "count" else len("+99.9")

    def caption(self, true: int, predicted: int, normalise: Normalise = "count") -> str:
        """The cell in words: ``true 4 → predicted 9: 22, then 15``."""
        assert self.before is not None
        assert self.after is not None
        pair = f"true {self.names[true]} → predicted {self.names[predicted]}"
        old, new = (matrix.counts[true, predicted] for matrix in (self.before, self.after))
        if normalise == "count":
            return f"{pair}: {count(int(old))}, then {count(int(new))}"
        shares = (percent(matrix.share(true, predicted, normalise)) for matrix in (self.before, self.after))
        return f"{pair}: {', then '.join(shares)} %"

    @cached_property
    def mistakes(self) -> np.ndarray:
        """Flat indices of the cells that differ, the largest change first."""
        sizes = np.abs(self.counts).ravel()
        cells = np.flatnonzero(sizes)
        return cells[np.argsort(-sizes[cells], kind="stable")]
