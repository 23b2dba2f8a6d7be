"""Do events given a probability of 0.8 happen eight times in ten?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.evaluation.predictions import Predictions
from core.evaluation.values import Array, Floats, Integers, members_of

BINS = 15
LOWEST, HIGHEST = 0.05, 20.0
MANY = 50


@dataclass(frozen=True, eq=False)
class Calibration:
    """A reliability diagram: one entry for each bin that holds samples.

    ``lower`` and ``upper`` are the bin's edges (the upper one belongs to the bin), ``count`` its samples,
    ``predicted`` their mean probability, ``observed`` the share of them for which the event happened.
    """

    lower: Floats
    upper: Floats
    count: Array
    predicted: Floats
    observed: Floats


def calibration_curve(
    probability: Array, happened: NDArray[np.bool_], bins: int = BINS, weights: Floats | None = None
) -> Calibration:
    """Compare probabilities (n,) with what happened (n,) in ``bins`` bins of equal width.

    For the top label pass the highest probability of each sample and whether its prediction is right; for one
    class its probabilities and whether the sample is of it. Bins are those of scikit-learn. With weights (n,) of the
    samples, ``count`` has their sums.
    """
    edges = np.linspace(0.0, 1.0, bins + 1)
    place = bin_of(probability, bins)
    by = np.ones(1) if weights is None else weights
    count = np.bincount(place, weights=weights, minlength=bins)
    used = np.flatnonzero(count)
    predicted = np.bincount(place, weights=probability * by, minlength=bins)[used] / count[used]
    observed = np.bincount(place, weights=happened * by, minlength=bins)[used] / count[used]
    return Calibration(edges[used], edges[used + 1], count[used], predicted, observed)


def probabilities_of(predictions: Predictions) -> tuple[Array, NDArray[np.bool_]]:
    """Return probabilities and what happened: of the likeliest class of each sample, or of each label."""
    if predictions.has_labels:
        return predictions.scores.ravel(), predictions.targets.ravel() == 1
    return predictions.scores.max(axis=1), predictions.likeliest == predictions.targets


def expected_calibration_error(curve: Calibration) -> float:
    """Mean distance, 0 to 1, of predicted and observed, weighted by samples.

    Guo et al., "On calibration of modern neural networks" (2017).
    """
    weight = curve.count / curve.count.sum()
    return float(weight @ np.abs(curve.observed - curve.predicted))


def error_when_calibrated(probability: Array, bins: int = BINS) -> float:
    """Return the expected calibration error that chance alone gives a calibrated model, 0 to 1.

    Each event happens with its probability (n,). In a bin the distance of observed and predicted is then the mean
    absolute deviation of a sum of Bernoulli variables: exact for few samples, that of the normal limit for many. See
    Broecker and Smith, "Increasing the reliability of reliability diagrams" (2007).
    """
    values = np.asarray(probability, dtype=np.float64)
    parts = (values[members] for members in members_of(bin_of(values, bins), bins))
    return sum(map(_mean_deviation, parts)) / len(values)


def _mean_deviation(chances: Floats) -> float:
    """Return the mean absolute deviation of the number of events from its mean."""
    if len(chances) > MANY:
        return float(np.sqrt(2 / np.pi * (chances * (1 - chances)).sum()))
    shares = np.ones(1)
    for chance in chances:
        shares = np.append(shares * (1 - chance), 0.0) + np.append(0.0, shares * chance)
    return float(shares @ np.abs(np.arange(len(shares)) - chances.sum()))


def bin_of(probability: Array, bins: int = BINS) -> Integers:
    """int64 (n,): the bin, from 0 to ``bins - 1``, that each probability falls in."""
    return np.searchsorted(np.linspace(0.0, 1.0, bins + 1)[1:-1], probability)


def best_temperature(predictions: Predictions) -> float:
    """Return the temperature, 0.05 to 20, with the lowest log loss; 1 changes nothing. See `core.losses.temperature`.

    Args:
        predictions: probabilities (n, classes) of samples that the model was not trained on.
    """
    from scipy import optimize

    logs = _logs(predictions.scores)
    own = np.arange(len(predictions)), predictions.targets
    weights = np.ones(len(predictions)) if predictions.weights is None else predictions.weights

    def loss(power: float) -> float:
        scaled = logs / np.exp(power)
        chosen = scaled[own] - _log_sum(scaled)
        return -float(weights @ chosen) / float(weights.sum())

    found = optimize.minimize_scalar(loss, bounds=(np.log(LOWEST), np.log(HIGHEST)), method="bounded")
    return float(np.exp(found.x))


def tempered(scores: Floats, temperature: float) -> Floats:
    """Return probabilities (n, classes) at a temperature."""
    scaled = _logs(scores) / temperature
    found: Floats = np.exp(scaled - _log_sum(scaled)[:, None])
    return found


def _logs(scores: Floats) -> Floats:
    wide = scores.astype(np.float64)
    found: Floats = np.log(np.maximum(wide, np.finfo(scores.dtype).tiny))
    return found


def _log_sum(logs: Floats) -> Floats:
    highest = logs.max(axis=1, keepdims=True)
    found: Floats = (highest + np.log(np.exp(logs - highest).sum(axis=1, keepdims=True)))[:, 0]
    return found
