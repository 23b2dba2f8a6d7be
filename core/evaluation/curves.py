"""ROC and precision-recall curves and their areas, from sorted scores.

Scores are sorted once as plain values (which is several times faster than sorting positions), the scores of
the positives among them as well; every count is then a binary search. See Fawcett, "An introduction to ROC
analysis" (2006), and Davis and Goadrich, "The relationship between precision-recall and ROC curves" (2006).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.evaluation.values import Array, Floats, Integers, Undefined, Value, members_of, ratio

POSITIVES_PER_BLOCK = 1 << 20

Areas = tuple[Value, Value]


@dataclass(frozen=True, eq=False)
class RankedCounts:
    """One class against the rest: sorted scores, from which curves, areas and thresholds follow.

    Args:
        scores: (n,) ascending scores of all samples, finite.
        positive_scores: (positives,) ascending scores of the samples of the class, a part of ``scores``.
    """

    scores: Array
    positive_scores: Array

    @property
    def positives(self) -> int:
        """Number of samples of the class."""
        return len(self.positive_scores)

    @property
    def negatives(self) -> int:
        """Number of the other samples."""
        return len(self.scores) - len(self.positive_scores)

    @cached_property
    def thresholds(self) -> Array:
        """(k,) descending: those distinct scores at which the ROC curve can turn.

        Between two of them only negatives join, so curves, areas and best thresholds lose nothing.
        """
        first = np.flatnonzero(_starts_a_run(self.positive_scores))
        distinct = self.positive_scores[first]
        turns = np.zeros(2 * len(distinct) + 1, dtype=np.int64)
        turns[1::2] = np.searchsorted(self.scores, distinct, side="left")
        turns[2::2] = np.searchsorted(self.scores, distinct, side="right")
        turns = turns[np.diff(turns, append=len(self.scores)) > 0]
        return self.scores[turns[::-1]]

    @cached_property
    def tp(self) -> Integers:
        """(k,) int64: positives with a score of at least each of ``thresholds``."""
        return self.counts(self.thresholds)[0]

    @cached_property
    def fp(self) -> Integers:
        """(k,) int64: negatives with a score of at least each of ``thresholds``."""
        return self.counts(self.thresholds)[1]

    def counts(self, thresholds: Array) -> tuple[Integers, Integers]:
        """True and false positives, int64, when scores of at least each threshold count as the class."""
        tp = self.positives - np.searchsorted(self.positive_scores, thresholds, side="left")
        fp = len(self.scores) - np.searchsorted(self.scores, thresholds, side="left") - tp
        return tp, fp


def one_vs_rest(scores: Array, positive: NDArray[np.bool_]) -> RankedCounts:
    """Rank the scores (n,) of one class; ``positive`` (n,) is True for the samples of that class."""
    return RankedCounts(np.sort(scores), np.sort(scores[positive]))


def micro(scores: Array, targets: Integers) -> RankedCounts:
    """Rank all (sample, class) pairs of ``scores`` (n, classes) as one problem of n x classes decisions."""
    return RankedCounts(np.sort(scores, axis=None), np.sort(true_scores(scores, targets)))


def true_scores(scores: Array, targets: Integers) -> Array:
    """(n,): the score each sample gives to its true class."""
    return np.take_along_axis(scores, targets[:, None], axis=1)[:, 0]


def areas(ranked: RankedCounts) -> Areas:
    """ROC AUC and average precision of one class, in one pass and with bounded extra memory.

    ROC AUC is the probability that a positive scores higher than a negative, ties counting one half (Hanley
    and McNeil 1982), which is the area below the ROC curve. Average precision is the sum over thresholds of
    the rise in recall times the precision there, without interpolation.
    """
    scores, positive = ranked.scores, ranked.positive_scores
    n, positives, negatives = len(scores), ranked.positives, ranked.negatives
    if not positives:
        return NO_POSITIVES, NO_POSITIVES
    run_starts = np.append(np.flatnonzero(_starts_a_run(positive)), positives)
    wins, precisions = 0, 0.0
    for begin in range(0, len(run_starts) - 1, POSITIVES_PER_BLOCK):
        starts = run_starts[begin : begin + POSITIVES_PER_BLOCK + 1]
        first, length = starts[:-1], np.diff(starts)
        lower = np.searchsorted(scores, positive[first], side="left")
        upper = lower + length
        tied = np.flatnonzero(scores[np.minimum(upper, n - 1)] == positive[first])  # with negatives, too
        upper[tied] = np.searchsorted(scores, positive[first[tied]], side="right")
        # Twice the negatives below plus the negatives at the same score: whole numbers, so the sum is exact.
        wins += int((length * (lower + upper - 2 * first - length)).sum())
        precisions += float((length * ((positives - first) / (n - lower))).sum())
    auc: Value = wins / (2 * positives * negatives) if negatives else NO_NEGATIVES
    return auc, precisions / positives


def areas_of_classes(scores: Array, targets: Integers) -> tuple[list[Areas], Areas]:
    """``areas`` of each class against the rest, and of all (sample, class) pairs pooled (micro).

    ``scores`` (n, classes), ``targets`` (n,). Makes one copy of the scores; sorts it by class, then whole.
    """
    classes = scores.shape[1]
    given = true_scores(scores, targets)
    positives = [given[members] for members in members_of(targets, classes)]
    columns = np.array(scores.T, order="C")
    single = []
    for column, positive in zip(columns, positives, strict=True):
        column.sort()
        single.append(areas(RankedCounts(column, np.sort(positive))))
    pooled = columns.reshape(-1)
    # This merges the classes, each sorted by now. Floats from 0 on are in the order of their bits, compared faster.
    merged = pooled if pooled.min(initial=0) < 0 else pooled.view(f"i{pooled.itemsize}")
    merged.sort(kind="stable")
    return single, areas(RankedCounts(pooled, np.sort(given)))


def roc_auc(ranked: RankedCounts) -> Value:
    """Area below the ROC curve, 0 to 1; undefined without positives or without negatives."""
    return areas(ranked)[0]


def average_precision(ranked: RankedCounts) -> Value:
    """Average precision, 0 to 1; undefined without positives."""
    return areas(ranked)[1]


@dataclass(frozen=True, eq=False)
class RocCurve:
    """False and true positive rates (k,), from (0, 0) to (1, 1).

    ``thresholds`` (k,) descending, the first infinite; None for a mean of several curves.
    """

    fpr: Floats
    tpr: Floats
    thresholds: Floats | None


@dataclass(frozen=True, eq=False)
class PrecisionRecallCurve:
    """Recall (k,), ascending from 0, and precision (k,) with 1 at recall 0.

    ``thresholds`` (k,) descending, the first infinite; None for a mean of several curves.
    """

    recall: Floats
    precision: Floats
    thresholds: Floats | None


def roc(ranked: RankedCounts) -> RocCurve | Undefined:
    """The ROC curve of one class, at the thresholds where it can turn."""
    if not ranked.positives:
        return NO_POSITIVES
    if not ranked.negatives:
        return NO_NEGATIVES
    fpr = np.append(0.0, ranked.fp / ranked.negatives)
    tpr = np.append(0.0, ranked.tp / ranked.positives)
    return RocCurve(fpr, tpr, _from_infinity(ranked.thresholds))


def precision_recall(ranked: RankedCounts) -> PrecisionRecallCurve | Undefined:
    """The precision-recall curve of one class, at the thresholds where it can turn."""
    if not ranked.positives:
        return NO_POSITIVES
    recall = np.append(0.0, ranked.tp / ranked.positives)
    precision = np.append(1.0, ratio(ranked.tp, ranked.tp + ranked.fp))
    return PrecisionRecallCurve(recall, precision, _from_infinity(ranked.thresholds))


def macro_roc(curves: Sequence[RocCurve], points: int = 1001) -> RocCurve:
    """Mean true positive rate of several ROC curves at evenly spaced false positive rates."""
    grid = np.linspace(0.0, 1.0, points)
    tpr = np.mean([np.interp(grid, curve.fpr, curve.tpr) for curve in curves], axis=0)
    return RocCurve(np.append(0.0, grid), np.append(0.0, tpr), None)


def macro_precision_recall(
    curves: Sequence[PrecisionRecallCurve], points: int = 1001
) -> PrecisionRecallCurve:
    """Mean precision of several curves at evenly spaced recalls.

    The precision at a recall is the one at the highest threshold that reaches it: steps, no interpolation.
    """
    grid = np.linspace(0.0, 1.0, points)
    steps = [curve.precision[np.searchsorted(curve.recall, grid, side="left")] for curve in curves]
    return PrecisionRecallCurve(grid, np.mean(steps, axis=0), None)


def thin(x: Floats, y: Floats, columns: int) -> Integers:
    """Ascending positions of at most ``4 * columns`` points that look like all of them, ``columns`` wide.

    Each column keeps its first, last, lowest and highest point (Jugel et al., "M4: a visualization-oriented
    time series data aggregation", 2014). ``x`` (k,) must ascend and lie within 0 to 1.
    """
    if len(x) <= 4 * columns:
        return np.arange(len(x))
    column = np.minimum((x * columns).astype(np.int64), columns - 1)
    starts = np.flatnonzero(_starts_a_run(column))
    ends = np.append(starts[1:], len(x)) - 1
    by_height = np.lexsort((y, column))
    return np.unique(np.concatenate([starts, ends, by_height[starts], by_height[ends]]))


NO_POSITIVES = Undefined("no sample is of this class")
NO_NEGATIVES = Undefined("every sample is of this class")


def _starts_a_run(values: Array) -> NDArray[np.bool_]:
    """True where sorted values change, and at the first one."""
    starts = np.ones(len(values), dtype=np.bool_)
    np.not_equal(values[1:], values[:-1], out=starts[1:])
    return starts


def _from_infinity(thresholds: Array) -> Floats:
    return np.append(np.inf, thresholds.astype(np.float64))
