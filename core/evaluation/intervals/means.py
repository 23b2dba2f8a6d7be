"""Intervals of means over samples, and of metrics that are one to first order.

A metric's influences (see the module ``core.evaluation.influence``) are resampled (Efron and Tibshirani, "An
Introduction to the Bootstrap", 1993); with more than ``EXACT_UP_TO`` samples the normal limit of that bootstrap (Singh
1981) takes its place. Small samples get the wider ends of Hesterberg, "What teachers should know about the bootstrap"
(2015), section 4.5: those of Student's distribution.
"""

import numpy as np

from core.evaluation.intervals import LEVELS, NORMAL_97_5, Interval, widened
from core.evaluation.values import Floats

__all__ = ["expansion", "loss_interval", "mean_offsets", "shifted"]

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
    """Return the interval of a mean loss of classification, whose rare mistakes cost much more than all else.

    A split with few mistakes does not show what they cost. So the high end counts one sample more, whose loss is
    ``worst``; weights are drawn as in the Bayesian bootstrap (Rubin 1981).

    Args:
        losses: (m,), 0 or above.
        weights: (m,), how many samples each stands for.
    """
    n, value = float(weights.sum()), float(weights @ losses / weights.sum())
    offsets = mean_offsets((losses - value)[:, None], weights, rng)[:, 0]
    extra = rng.standard_exponential(REPEATS)
    if n > EXACT_UP_TO:
        error = float(np.sqrt(weights @ (losses - value) ** 2) / n)
        means = value + error * rng.standard_normal(REPEATS)
        drawn = (n * means + extra * worst) / (n + extra)
    else:
        shares = rng.standard_exponential((REPEATS, len(losses)))
        drawn = (shares @ losses + extra * worst) / (shares.sum(axis=1) + extra)
    return widened(value, shifted(value, offsets), [value, float(np.quantile(drawn, LEVELS[1]))])


def expansion(n: int) -> float:
    """Return by how much the percentiles of a bootstrap of n samples are too narrow, 1 for many samples."""
    from scipy import special  # loaded where intervals are computed, not where reports are read

    if n < 2:
        return 1.0
    return float(special.stdtrit(n - 1, LEVELS[1]) / NORMAL_97_5 * np.sqrt(n / (n - 1)))
