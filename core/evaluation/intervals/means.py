"""Intervals of means over samples, and of metrics that are one to first order.

A metric's influences (see the module ``core.evaluation.influence``) are resampled (Efron and Tibshirani, "An
Introduction to the Bootstrap", 1993); with more than ``EXACT_UP_TO`` samples the normal limit of that bootstrap (Singh
1981) takes its place. Small samples get the wider ends of Hesterberg, "What teachers should know about the bootstrap"
(2015), section 4.5: those of Student's distribution.
"""

import numpy as np

from core.evaluation.intervals import LEVELS, NORMAL_97_5, Interval, widened
from core.evaluation.values import Floats

__all__ = ["expansion", "loss_interval", "mean_offsets", "shifted", "sums_with_one_more"]

REPEATS = 1000
EXACT_UP_TO = 2000


def mean_offsets(influence: Floats, weights: Floats, rng: np.random.Generator) -> Floats:
    """Return the range of the means of ``influence`` (m, metrics) over resamples: (2, metrics), low and high.

    ``weights`` (m,) says how many samples each row stands for; their sum is n.
    """
    n = weights.sum()
    if n > EXACT_UP_TO:
        error = np.sqrt(weights @ influence**2) / n
        return np.stack([-NORMAL_97_5 * error, NORMAL_97_5 * error])
    m = len(influence)
    drawn = rng.integers(0, m, size=(REPEATS, m)) + m * np.arange(REPEATS)[:, None]
    times = np.bincount(drawn.ravel(), minlength=REPEATS * m).reshape(REPEATS, m)
    found: Floats = np.quantile(times @ influence / m, LEVELS, axis=0) * expansion(m)
    return found


def shifted(value: float, offsets: Floats) -> Interval:
    """Return the interval of a metric without upper bound, kept at 0 or above."""
    return [max(0.0, value + offset) for offset in offsets.tolist()]


def loss_interval(losses: Floats, weights: Floats, worst: float, rng: np.random.Generator) -> Interval:
    """Return the interval of a mean loss, whose rare mistakes cost much more than all else.

    A split with few mistakes does not show what they cost. So the high end counts one sample more, whose loss is
    ``worst``; see `sums_with_one_more`.

    Args:
        losses: (m,), 0 or above.
        weights: (m,), how many samples each stands for.
    """
    value = float(weights @ losses / weights.sum())
    offsets = mean_offsets((losses - value)[:, None], weights, rng)[:, 0]
    sums, samples = sums_with_one_more(losses[:, None], weights, np.array([[worst]]), rng)
    high = float(np.quantile(sums[0, :, 0] / samples, LEVELS[1]))
    return widened(value, shifted(value, offsets), [value, high])


def sums_with_one_more(
    values: Floats, weights: Floats, more: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return sums over samples and one more that was not seen, and how many samples they are worth.

    Each sample, and the one more, counts as often as in a draw of the Bayesian bootstrap (Rubin 1981).

    Args:
        values: (m, k).
        weights: (m,), how many samples each row stands for.
        more: (p, k), the values of the one more, in p ways.

    Returns:
        Sums (p, repeats, k) and counts (repeats,).
    """
    n, extra = float(weights.sum()), rng.standard_exponential(REPEATS)
    if n > EXACT_UP_TO:
        means = weights @ values / n
        scaled = (values - means) * np.sqrt(weights)[:, None] / n
        spread = np.linalg.qr(
            scaled, mode="r"
        )  # its product with its transpose is the covariance of the means
        sums = n * (means + rng.standard_normal((REPEATS, len(spread))) @ spread)
        counts = np.full(REPEATS, n)
    else:
        shares = rng.standard_exponential((REPEATS, len(values)))
        sums, counts = shares @ values, shares.sum(axis=1)
    return sums + extra[:, None] * more[:, None, :], counts + extra


def expansion(n: int) -> float:
    """Return by how much the percentiles of a bootstrap of n samples are too narrow, 1 for many samples."""
    from scipy import special  # loaded where intervals are computed, not where reports are read

    if n < 2:
        return 1.0
    return float(special.stdtrit(n - 1, LEVELS[1]) / NORMAL_97_5 * np.sqrt(n / (n - 1)))
