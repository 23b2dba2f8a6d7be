"""Errors of predicted numbers, seen from several sides: median and largest, by bins, against normal quantiles."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from core.evaluation.intervals import LEVELS, Interval
from core.evaluation.predictions import Predictions
from core.evaluation.regression import residuals
from core.evaluation.values import Array, Floats, Integers

__all__ = [
    "Bin",
    "MedianError",
    "bins_of",
    "errors_as_dicts",
    "median_error",
    "normal_quantiles",
    "sample_at",
]

BINS = 10
FEWEST = 5
MAX_POINTS = 200


@dataclass(frozen=True)
class MedianError:
    """The absolute error that half of the samples exceed, its exact 95 % interval, and the sample nearest to it.

    Attributes:
        position: of that sample among the predictions.
        interval: None where there are too few samples.
    """

    value: float
    interval: Interval | None
    position: int


@dataclass(frozen=True)
class Bin:
    """Errors of the samples whose prediction or target lies from `low` to `high`.

    Attributes:
        bias: mean of target minus prediction.
        mae: mean absolute error, `interval` its 95 % interval; None for fewer than five samples.
    """

    low: float
    high: float
    samples: int
    bias: float
    mae: float
    rmse: float
    interval: Interval | None


def median_error(residual: Floats, weights: Floats | None = None) -> MedianError:
    """Return the median of the absolute errors (n,); by weights (n,) the one at which half of their sum is reached.

    The interval is between two order statistics: how many samples lie below the true median is binomial.
    """
    errors = np.abs(residual)
    order = np.argsort(errors, kind="stable")
    if weights is not None:
        reached = np.cumsum(weights[order])
        place = int(order[int(np.searchsorted(reached, reached[-1] / 2))])
        return MedianError(float(errors[place]), None, place)
    value = float(np.median(errors))
    return MedianError(value, _of_order(errors[order]), sample_at(errors, order, 0.5))


def sample_at(errors: Floats, order: Integers, level: float) -> int:
    """Return the position of the sample whose error is nearest to a quantile, 0 to 1.

    Args:
        order: positions from the smallest error to the largest one.
    """
    wanted = float(np.quantile(errors, level))
    return int(order[int(np.argmin(np.abs(errors[order] - wanted)))])


def _of_order(ascending: Floats) -> Interval | None:
    """Return the exact interval of the median of sorted values."""
    from scipy import special  # loaded where intervals are computed, not where reports are read

    n = len(ascending)
    if 0.5**n > LEVELS[0]:
        return None
    below = int(np.floor(special.bdtrik(LEVELS[0], n, 0.5)))
    return [float(ascending[below]), float(ascending[n - 1 - below])]


def bins_of(by: Array, residual: Floats, weights: Floats | None = None, count: int = BINS) -> list[Bin]:
    """Return the errors of bins with equally many samples each; equal values are in one bin.

    Args:
        by: (n,), what the bins are of: predictions or targets.
    """
    inner = np.unique(np.quantile(by, np.linspace(0, 1, count + 1)[1:-1]))
    place = np.searchsorted(inner, by, side="left")
    every = np.ones(len(by)) if weights is None else weights
    found = []
    for number in np.unique(place):
        inside = place == number
        found.append(_bin(by[inside], residual[inside], every[inside]))
    return found


def _bin(by: Array, residual: Floats, weights: Floats) -> Bin:
    share = weights / weights.sum() if weights.any() else np.full(len(by), 1 / len(by))
    errors = np.abs(residual)
    mae = float(share @ errors)
    return Bin(
        float(by.min()),
        float(by.max()),
        len(by),
        float(share @ residual),
        mae,
        float(np.sqrt(share @ residual**2)),
        _mean_interval(mae, errors, share),
    )


def _mean_interval(mean: float, values: Floats, share: Floats) -> Interval | None:
    """Return Student's interval of a weighted mean of values that are 0 or above."""
    n = 1 / float(share @ share)  # of equal weight, Kish 1965
    if n < FEWEST:
        return None
    from scipy import special

    error = float(np.sqrt(share @ (values - mean) ** 2 / (n - 1)))
    step = float(special.stdtrit(n - 1, LEVELS[1])) * error
    return [max(0.0, mean - step), mean + step]


def normal_quantiles(residual: Floats, weights: Floats | None = None) -> tuple[Floats, Floats]:
    """Return quantiles of the standard normal distribution and the sorted residuals beside them, both (n,).

    Of equal weight they are the medians of order statistics (Filliben 1975), as in ``scipy.stats.probplot``; else the
    middle of each sample's part of all weights.
    """
    from scipy import special

    order = np.argsort(residual, kind="stable")
    n = len(residual)
    if weights is None:
        shares = (np.arange(1, n + 1) - 0.3175) / (n + 0.365)
        shares[-1] = 0.5 ** (1 / n)
        shares[0] = 1 - shares[-1]
    else:
        ranked = weights[order]
        shares = ((np.cumsum(ranked) - ranked / 2) / ranked.sum()).clip(1e-9, 1 - 1e-9)
    return special.ndtri(shares), residual[order]


def errors_as_dicts(predictions: Predictions, names: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Return all views of the errors of each target as plain values.

    Args:
        names: of several targets.
    """
    return [
        _as_dict(predictions.of_target(place), names[place] if names else "")
        for place in range(predictions.target_count)
    ]


def _as_dict(one: Predictions, name: str) -> dict[str, Any]:
    residual = residuals(one)
    median, largest = median_error(residual, one.weights), int(np.abs(residual).argmax())
    across, up = normal_quantiles(residual, one.weights)
    kept = np.unique(np.linspace(0, len(up) - 1, MAX_POINTS).round().astype(np.int64))
    return {
        "target": name,
        "median_absolute_error": median.value,
        "median_interval": median.interval,
        "median_sample": _sample(one, residual, median.position),
        "largest": _sample(one, residual, largest),
        "by_prediction": [asdict(each) for each in bins_of(one.scores, residual, one.weights)],
        "by_target": [asdict(each) for each in bins_of(one.targets, residual, one.weights)],
        "normal_quantiles": [across[kept].tolist(), up[kept].tolist()],
    }


def _sample(one: Predictions, residual: Floats, position: int) -> dict[str, float]:
    return {
        "index": int(one.indices[position]),
        "target": float(one.targets[position]),
        "prediction": float(one.scores[position]),
        "error": float(residual[position]),
    }
