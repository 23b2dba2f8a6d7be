"""Decision thresholds on the score of one class: their consequences, and which one to choose."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.evaluation.curves import RankedCounts
from core.evaluation.values import Array, Undefined, none_if_nan, ratio


@dataclass(frozen=True)
class OperatingPoint:
    """Counts and rates when scores of at least ``threshold`` count as the class; None where undefined.

    Where samples have weights, counts are sums of these.
    """

    threshold: float
    tp: float
    fp: float
    fn: float
    tn: float
    precision: float | None
    recall: float | None
    f1: float | None
    fpr: float | None


def threshold_table(ranked: RankedCounts, at: Sequence[float] | Array) -> list[OperatingPoint]:
    """The operating points at the given thresholds, in their order; scores are compared as float64."""
    thresholds = np.asarray(at, dtype=np.float64)
    tp, fp = ranked.counts(thresholds)
    fn, tn = ranked.positives - tp, ranked.negatives - fp
    rates = (ratio(tp, tp + fp), ratio(tp, tp + fn), ratio(2 * tp, 2 * tp + fp + fn), ratio(fp, fp + tn))
    return [
        OperatingPoint(float(threshold), *(each.item() for each in counts), *map(none_if_nan, row))
        for threshold, counts, row in zip(
            thresholds, zip(tp, fp, fn, tn, strict=True), zip(*rates, strict=True), strict=True
        )
    ]


def best_f1_threshold(ranked: RankedCounts) -> OperatingPoint | Undefined:
    """The threshold with the highest F1, the highest one of equals."""
    return _point(ranked, best_f1_place(ranked))


def threshold_for_precision(ranked: RankedCounts, precision: float) -> OperatingPoint | Undefined:
    """The threshold with the most recall among those of at least this precision (0 to 1)."""
    return _point(ranked, place_for_precision(ranked, precision))


def threshold_for_recall(ranked: RankedCounts, recall: float) -> OperatingPoint | Undefined:
    """The highest threshold, so the one with the fewest false positives, of at least this recall (0 to 1)."""
    return _point(ranked, place_for_recall(ranked, recall))


def best_f1_place(ranked: RankedCounts) -> int | Undefined:
    """Return the place among ``ranked.thresholds`` of the highest F1, the first one of equals."""
    if not ranked.positives:
        return _NO_POSITIVES
    return int(np.argmax(2 * ranked.tp / (ranked.positives + ranked.tp + ranked.fp)))


def place_for_precision(ranked: RankedCounts, precision: float) -> int | Undefined:
    """Return the place with the most recall among those of at least this precision (0 to 1)."""
    if not ranked.positives:
        return _NO_POSITIVES
    reached = ranked.tp / (ranked.tp + ranked.fp)
    if reached.max() < precision:
        return Undefined(f"no threshold reaches precision {precision:g}; the highest is {reached.max():.4f}")
    return int(np.argmax(np.where(reached >= precision, ranked.tp, -1)))


def place_for_recall(ranked: RankedCounts, recall: float) -> int | Undefined:
    """Return the first place of at least this recall (0 to 1)."""
    if not ranked.positives:
        return _NO_POSITIVES
    if recall > 1:
        return Undefined(f"no threshold reaches recall {recall:g}; the highest is 1")
    return int(np.argmax(ranked.tp / ranked.positives >= recall))


def below(ranked: RankedCounts, place: int) -> float:
    """Return a threshold half way between the one at a place and the next lower score; that one if there is none."""
    here = ranked.thresholds[place]
    lower = int(np.searchsorted(ranked.scores, here, side="left"))
    if not lower:
        return float(here)
    middle = (float(here) + float(ranked.scores[lower - 1])) / 2
    return middle if middle > float(ranked.scores[lower - 1]) else float(here)


_NO_POSITIVES = Undefined("no sample is of this class")


def _point(ranked: RankedCounts, place: int | Undefined) -> OperatingPoint | Undefined:
    if isinstance(place, Undefined):
        return place
    return threshold_table(ranked, ranked.thresholds[place : place + 1])[0]
