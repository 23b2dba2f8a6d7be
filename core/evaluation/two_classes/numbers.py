"""Numbers that two classes alone have: F-beta, lift, KS (Kolmogorov and Smirnov), the area below a part of ROC."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.counting import counted
from core.evaluation.intervals import LEVELS, Interval, widened
from core.evaluation.intervals.areas import FEWEST_OF_CLASS
from core.evaluation.intervals.jackknife import (
    blocks_of,
    group_factors,
    too_few_groups,
    widened_to_groups,
)
from core.evaluation.predictions import Predictions
from core.evaluation.two_classes.steps import DrawPair, ScoreSteps, StepDraws, drawn_pair, ends, steps_of
from core.evaluation.values import Floats, Integers

__all__ = [
    "BETA",
    "MAX_FPR",
    "SHARES",
    "Number",
    "f_beta",
    "gains",
    "ks",
    "lift_at",
    "lift_curve",
    "partial_auc",
    "two_class_numbers",
]

BETA, MAX_FPR = 2.0, 0.1
SHARES = (0.01, 0.05, 0.1, 0.2)
"""Shares of the samples, those that score highest, whose lift is shown."""
REPEATS = 2000


@dataclass(frozen=True)
class Number:
    """A number of two classes.

    Attributes:
        key: in JSON. title: what people call it.
        value: None where these samples do not define it.
        interval: 95 %; None where there is none, for a `reason`.
        at: the score from which on a sample is flagged, for numbers of one threshold.
    """

    key: str
    title: str
    value: float | None
    interval: Interval | None = None
    reason: str = ""
    at: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "name": self.key,
            "value": self.value,
            "interval": self.interval,
            "reason": self.reason,
            "threshold": self.at,
        }


def two_class_numbers(
    predictions: Predictions,
    *,
    beta: float = BETA,
    max_fpr: float = MAX_FPR,
    shares: Sequence[float] = SHARES,
    seed: int = 0,
) -> list[Number]:
    """Return the numbers of the positive class, class 1.

    Args:
        predictions: of two classes; those of `predicted` are what F-beta counts.
        beta: how much more recall counts than precision, above 0; 1 is F1.
        max_fpr: false positive rate up to which the area below ROC counts, above 0 and at most 1.

    Raises:
        ValueError: an argument is outside its range.
    """
    if not 0 < beta < float("inf"):
        raise ValueError(f"beta is {beta:g}; it must be above 0")
    if not 0 < max_fpr <= 1:
        raise ValueError(f"the largest false positive rate is {max_fpr:g}; it must be above 0 and at most 1")
    positive, weights = predictions.positive(1), predictions.weights
    steps = steps_of(predictions.scores[:, 1], positive, weights)
    named = [
        ("f_beta", f"F{beta:g}"),
        ("ks", "KS"),
        ("partial_auc", f"AUC at FPR ≤ {max_fpr:g}"),
        *((_key_of(share), f"lift of the top {100 * share:g} %") for share in shares),
    ]
    if not steps.positives or not steps.negatives:
        reason = "all samples are of one class"
        return [Number(key, title, None, None, reason) for key, title in named]
    reason = _no_interval(predictions, positive)
    rng = np.random.default_rng(seed)
    pair = drawn_pair(steps, rng)
    counts = _counts(predictions, positive)
    _, at = ks(steps)
    values = _values(predictions, beta, max_fpr, shares)
    intervals = [
        _f_beta_interval(*counts, beta, steps.worth, rng),
        _ks_interval(steps, at, rng),
        _partial_interval(pair, max_fpr),
        *(_lift_interval(pair, share) for share in shares),
    ]
    found = {
        key: widened(values[key], ends) for (key, _), ends in zip(named, intervals, strict=True) if not reason
    }
    if found:
        found = _of_groups(
            found, values, predictions, lambda some: _values(some, beta, max_fpr, shares), shares
        )
    return [
        Number(
            key,
            title,
            values[key],
            found.get(key),
            reason,
            float(steps.thresholds[at]) if key == "ks" else None,
        )
        for key, title in named
    ]


def _values(
    predictions: Predictions, beta: float, max_fpr: float, shares: Sequence[float]
) -> dict[str, float]:
    """Return the values of all numbers by key; none where all samples are of one class."""
    positive = predictions.positive(1)
    steps = steps_of(predictions.scores[:, 1], positive, predictions.weights)
    if not steps.positives or not steps.negatives:
        return {}
    return {
        "f_beta": f_beta(*_counts(predictions, positive), beta),
        "ks": ks(steps)[0],
        "partial_auc": partial_auc(steps, max_fpr),
        **{_key_of(share): lift_at(steps, share) for share in shares},
    }


def _counts(predictions: Predictions, positive: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Return true positives, false positives and false negatives, or sums of their weights."""
    called, weights = predictions.predicted == 1, predictions.weights
    by = np.ones(len(called)) if weights is None else weights
    tp, fp, fn = (
        float(by[where].sum()) for where in (called & positive, called & ~positive, ~called & positive)
    )
    return tp, fp, fn


def _of_groups(
    intervals: dict[str, Interval],
    values: dict[str, float],
    predictions: Predictions,
    values_of: Callable[[Predictions], dict[str, float]],
    shares: Sequence[float],
) -> dict[str, Interval]:
    """Return the intervals of whole groups, where samples come in groups."""
    blocks = blocks_of(predictions.groups)
    if blocks is None or predictions.groups is None:
        return intervals
    factors = group_factors(values, intervals, blocks, lambda kept: values_of(predictions.rows(kept)))
    spread = float(np.sqrt(len(predictions) / len(np.unique(predictions.groups))))
    most = {_key_of(share): 1 / share for share in shares}
    found = {}
    for key, interval in intervals.items():
        factor, top = factors.get(key, spread), most.get(key, 1.0)
        scaled = [end / top for end in interval]
        wide = widened_to_groups(values[key] / top, scaled, factor, spread, is_share=True)
        found[key] = [end * top for end in wide]
    return found


def _key_of(share: float) -> str:
    return f"lift_{100 * share:g}"


def _no_interval(predictions: Predictions, positive: NDArray[np.bool_]) -> str:
    """Return why there are no intervals; empty if there are."""
    fewest = min(int(positive.sum()), int((~positive).sum()))
    if fewest < FEWEST_OF_CLASS:
        return f"a class has {counted(fewest, 'sample')}, fewer than the {FEWEST_OF_CLASS} that an interval needs"
    return too_few_groups(predictions.groups)


def f_beta(tp: float, fp: float, fn: float, beta: float) -> float:
    """Return the weighted harmonic mean of precision and recall, which counts `beta` times as much.

    van Rijsbergen, "Information retrieval" (1979); 0 where nothing is found, as in scikit-learn.
    """
    found = (1 + beta**2) * tp
    total = found + beta**2 * fn + fp
    return found / total if total else 0.0


def _f_beta_interval(
    tp: float, fp: float, fn: float, beta: float, worth: float, rng: np.random.Generator
) -> Interval:
    drawn = [rng.standard_gamma(worth * part, REPEATS) for part in (tp, fp, fn)]
    extra, coin = rng.standard_exponential(REPEATS), rng.random(REPEATS) < 0.5

    def score(tp: Floats, fp: Floats, fn: Floats) -> Floats:
        found = (1 + beta**2) * tp
        return found / (found + beta**2 * fn + fp)

    low = score(drawn[0], drawn[1] + extra * coin, drawn[2] + extra * ~coin)
    high = score(drawn[0] + extra, drawn[1], drawn[2])
    return [float(np.quantile(low, LEVELS[0])), float(np.quantile(high, LEVELS[1]))]


def ks(steps: ScoreSteps) -> tuple[float, int]:
    """Return the largest distance of the two classes' distributions of scores, 0 to 1, and the place of its threshold.

    It is the statistic of Kolmogorov and Smirnov for two samples, and the largest difference of true and false
    positive rate.
    """
    distance = np.abs(steps.tp / steps.positives - steps.fp / steps.negatives)
    at = int(np.argmax(distance))
    return float(distance[at]), at


def _ks_interval(steps: ScoreSteps, at: int, rng: np.random.Generator) -> Interval:
    """Return the interval of the distance at its threshold."""
    sign = 1 if steps.tp[at] / steps.positives >= steps.fp[at] / steps.negatives else -1
    bins: Integers = np.unique([at, len(steps.tp) - 1])

    def distance(draws: StepDraws) -> Floats:
        found: Floats = sign * (draws.tpr - draws.fpr)[:, 2]
        return found

    low, high = ends(drawn_pair(steps, rng, bins), distance)
    return [max(0.0, float(low)), min(1.0, float(high))]


def partial_auc(steps: ScoreSteps, max_fpr: float) -> float:
    """Return the area below ROC up to a false positive rate, scaled so that chance gives 0.5 and the best 1.

    McClish, "Analyzing a portion of the ROC curve" (1989), as in scikit-learn's ``roc_auc_score(max_fpr=...)``.
    """
    fpr, tpr = np.append(0.0, steps.fp / steps.negatives), np.append(0.0, steps.tp / steps.positives)
    return float(_scaled(_area_up_to(fpr, tpr, max_fpr), max_fpr))


def _area_up_to(fpr: Floats, tpr: Floats, most: float) -> float:
    stop = int(np.searchsorted(fpr, most, side="right"))
    x = np.append(fpr[:stop], most)
    y = np.append(tpr[:stop], np.interp(most, fpr[stop - 1 : stop + 1], tpr[stop - 1 : stop + 1]))
    return float(np.diff(x) @ (y[1:] + y[:-1]) / 2)


def _scaled(area: float, most: float) -> float:
    if most == 1:
        return area
    smallest = most**2 / 2
    return 0.5 * (1 + (area - smallest) / (most - smallest))


def _partial_interval(pair: DrawPair, max_fpr: float) -> Interval:
    def area(draws: StepDraws) -> Floats:
        pairs = zip(draws.fpr, draws.tpr, strict=True)
        return np.array([_scaled(_area_up_to(fpr, tpr, max_fpr), max_fpr) for fpr, tpr in pairs])

    low, high = ends(pair, area)
    return [float(low), min(1.0, float(high))]


def gains(steps: ScoreSteps) -> tuple[Floats, Floats]:
    """Return the share of all samples that is flagged, from 0 to 1, and the share of positives found, both (k + 1,)."""
    flagged = (steps.tp + steps.fp) / (steps.positives + steps.negatives)
    return np.append(0.0, flagged), np.append(0.0, steps.tp / steps.positives)


def lift_at(steps: ScoreSteps, share: float) -> float:
    """Return how many times more positives a share of the samples has, those that score highest, than random ones.

    Where equal scores straddle the share, they count in part.
    """
    return float(np.interp(share, *gains(steps)) / share)


def _lift_interval(pair: DrawPair, share: float) -> Interval:
    def lift(draws: StepDraws) -> Floats:
        flagged = draws.tp + draws.fp
        pairs = zip(flagged / flagged[:, -1:], draws.tpr, strict=True)
        return np.array([np.interp(share, part, found) / share for part, found in pairs])

    low, high = ends(pair, lift)
    return [float(low), float(high)]


def lift_curve(steps: ScoreSteps, points: int = 200) -> tuple[Floats, Floats]:
    """Return shares of the samples, those that score highest, and the lift of each, both (points,)."""
    total = max(1, round(steps.worth * (steps.positives + steps.negatives)))
    shares = np.linspace(1 / points, 1, points)
    shares = shares[shares >= min(1.0, 1 / total)]
    return shares, np.interp(shares, *gains(steps)) / shares
