"""Intervals of proportions: exact ones, so that 20 right answers of 20 are not taken for certainty."""

import numpy as np

from core.evaluation.values import Array, Floats

__all__ = ["f1_intervals", "proportion_intervals"]


def proportion_intervals(hits: Array, n: Array, level: float = 0.05) -> tuple[Floats, Floats]:
    """Return low and high ends of the intervals of ``hits`` among ``n``, each of any shape; 0 to 1 where n is 0.

    Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial" (1934):
    each end is the proportion under which a result as extreme has a probability of ``level / 2``.
    """
    from scipy import special  # loaded where intervals are computed, not where reports are read

    hits, n = np.asarray(hits, dtype=np.float64), np.asarray(n, dtype=np.float64)
    missed = n - hits
    low = special.betaincinv(np.maximum(hits, 1), missed + 1, level / 2)
    high = special.betaincinv(hits + 1, np.maximum(missed, 1), 1 - level / 2)
    return np.where(hits > 0, low, 0.0), np.where(missed > 0, high, 1.0)


def f1_intervals(hits: Array, support: Array, predicted: Array) -> tuple[Floats, Floats]:
    """Return the intervals of F1 of classes; arguments as in `ClassCounts`.

    F1 rises with the share of hits among the samples that are of the class or predicted as it, a proportion J:
    F1 = 2 J / (1 + J).
    """
    low, high = proportion_intervals(hits, support + predicted - hits)
    return 2 * low / (1 + low), 2 * high / (1 + high)
