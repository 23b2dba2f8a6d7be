"""Difference of two shares of right answers on the same samples."""

import math

import numpy as np

from core.evaluation.values import Integers

__all__ = ["share_difference", "unseen_share"]


def share_difference(hits: Integers, level: float) -> tuple[float, tuple[float, float], float]:
    """Return the difference, its interval of the probability ``1 - level``, and the p of the exact test.

    Args:
        hits: (n,), 1 where only the first model is right, -1 where only the second one is, else 0.

    The interval holds the differences that a score test does not rule out: Tango, "Equivalence test and confidence
    interval for the difference in proportions for the paired-sample design" (1998). Samples on which the two differ
    are not taken for a known number, so that without any it is not a point. It holds 0 where the exact test of
    McNemar finds no difference at this level.
    """
    from scipy import optimize, special, stats

    n, better, worse = len(hits), int(np.count_nonzero(hits > 0)), int(np.count_nonzero(hits < 0))
    value = (better - worse) / n
    p = float(stats.binomtest(better, better + worse).pvalue) if better + worse else 1.0
    quantile = float(special.ndtri(1 - level / 2))

    def end(of: float) -> float:
        """The difference, between the one that was seen and -1 or 1, that the score test just does not rule out."""

        def beyond(difference: float) -> float:
            return abs(_score(better, worse, n, difference)) - quantile

        return of if beyond(of) <= 0 else float(optimize.bisect(beyond, value, of, xtol=1e-12))

    low, high = end(-1.0), end(1.0)
    return value, ((low, high) if p < level else (min(low, 0.0), max(high, 0.0))), p


def _score(better: int, worse: int, n: int, difference: float) -> float:
    """Tango's statistic of a difference: how many standard errors the one that was seen lies above it."""
    above = better - worse - n * difference
    linear = (2 * n - better + worse) * difference - better - worse
    square = 8 * n * worse * difference * (1 - difference)
    share = (math.sqrt(max(0.0, linear**2 + square)) - linear) / (4 * n)
    variance = n * (2 * share + difference * (1 - difference))
    return above / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, above) if above else 0.0


def unseen_share(units: int, level: float) -> float:
    """Return the weight of one unit by which a difference over independent units has the end of `share_difference`.

    Of those where none of ``units`` differs, the end is the squared quantile times this weight.
    """
    from scipy import special

    return 1.0 / (units + float(special.ndtri(1 - level / 2)) ** 2)
