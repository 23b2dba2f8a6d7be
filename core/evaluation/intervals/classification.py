"""The intervals of every metric of a classifier, or the reason why one has none."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from core.counting import counted
from core.evaluation import influence
from core.evaluation.classification import ClassCounts, log_losses, predicted_classes
from core.evaluation.curves import Areas, true_scores
from core.evaluation.intervals import Interval
from core.evaluation.intervals.areas import (
    FEWEST_OF_CLASS,
    area_intervals,
    logit_intervals,
    mean_of_classes,
    precision_intervals,
)
from core.evaluation.intervals.counts import matrix_intervals
from core.evaluation.intervals.means import expansion, loss_interval
from core.evaluation.intervals.proportions import f1_intervals, proportion_intervals
from core.evaluation.metric_values import scores_to_rank_by
from core.evaluation.predictions import Predictions
from core.evaluation.values import Array, Floats, Integers, Undefined
from core.metrics import MEANS_OF_CLASSES, SAME_AS_ACCURACY

__all__ = ["WEIGHTED", "Ends", "Intervals", "classification_intervals", "weighted_intervals"]

EXACT = ("accuracy", *SAME_AS_ACCURACY)
"""Proportions of all samples, with one label a sample."""
AREAS = ("roc_auc", "average_precision")
RARE = (*AREAS, "mcc", "cohen_kappa")
"""Metrics whose spread a handful of samples of a class does not show."""
MANY_RARE, MAX_RARE = 5, 0.2
"""Number and share of classes with few samples above which a mean over classes is further from the truth than the
samples show: with 40 of 100, 8 and 16 of 20 the intervals of F1 held in 85, 79 and 81 of 100 simulations."""
WEIGHTED = "the samples have weights, and how much it varies is known for samples of equal weight alone"
CALIBRATION = "chance alone makes it larger than 0; its baseline is that of a calibrated model"

Ends = tuple[Floats, Floats]


@dataclass(frozen=True)
class Intervals:
    """95 % intervals by metric, and for some metrics without one the reason; those of each class."""

    found: dict[str, Interval] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    classes: list[dict[str, Interval]] = field(default_factory=list)


def classification_intervals(
    values: Mapping[str, float],
    predictions: Predictions,
    matrix: Integers,
    single: list[Areas],
    rng: np.random.Generator,
) -> Intervals:
    """Return the intervals of some metrics, and of precision, recall, F1 and the areas of each class.

    Args:
        values: the metrics that are defined.
        matrix: confusion matrix (classes, classes).
        single: ROC AUC and average precision of each class against the rest.
    """
    counts = ClassCounts.of(matrix)
    sample = influence.sample_rows(predictions.targets, len(matrix), rng)
    found, missing = matrix_intervals(matrix, rng), {}
    found |= _proportions(values, counts)
    found |= _losses(values, predictions, sample, rng)
    of_classes = _of_classes(counts) | _areas_of_classes(predictions, counts, single, sample, rng)
    if len(matrix) == 2:
        found |= _of_two(of_classes)
    support = counts.support
    fewest = int(np.minimum(support, support.sum() - support)[support > 0].min())
    if fewest < FEWEST_OF_CLASS:
        reason = f"a class has {counted(fewest, 'sample')}, fewer than the {FEWEST_OF_CLASS} that an interval needs"
        missing = {name: reason for name in values if name.startswith(RARE)}
    else:
        found |= _macro_areas(single, of_classes) | _pooled_areas(values, predictions, sample, rng)
    if "ece" in values:
        missing["ece"] = CALIBRATION
    missing |= _means_without(values, counts)
    known = {name: found[name] for name in values if name in found and name not in missing}
    return Intervals(known, missing, _rows(counts, len(single), of_classes))


def weighted_intervals(
    values: Mapping[str, float], matrix: Floats, effective: float, rng: np.random.Generator
) -> Intervals:
    """Return the intervals of what follows from a confusion matrix of weights, and the reason why others have none.

    They are those of as many samples of equal weight as these are worth (Kish, "Survey Sampling", 1965).

    Args:
        values: the metrics that are defined.
        matrix: sums of weights (classes, classes).
        effective: the number of such samples; see `core.evaluation.weighted.effective_size`.
    """
    scaled = matrix * (effective / matrix.sum())
    counts = ClassCounts.of(scaled)
    found = matrix_intervals(scaled, rng)
    n = np.array(effective)
    shares = {name: value for name, value in values.items() if name in EXACT or name.startswith("top_")}
    found |= {
        name: _pair(*proportion_intervals(np.array(share * effective), n)) for name, share in shares.items()
    }
    of_classes = _of_classes(counts)
    if len(matrix) == 2:
        found |= _of_two(of_classes)
    missing = {name: WEIGHTED for name in values if name not in found} | _means_without(values, counts)
    if "ece" in missing:
        missing["ece"] = CALIBRATION
    known = {name: found[name] for name in values if name in found and name not in missing}
    return Intervals(known, missing, _rows(counts, len(matrix), of_classes))


def _means_without(values: Mapping[str, float], counts: ClassCounts) -> dict[str, str]:
    """Return why means over classes have no interval, where many classes have too few samples; empty otherwise."""
    there = counts.support + counts.predicted > 0
    rare = int(np.count_nonzero(there & (counts.support < FEWEST_OF_CLASS)))
    if rare < MANY_RARE or rare <= MAX_RARE * np.count_nonzero(there):
        return {}
    reason = (
        f"{rare} classes have fewer than {FEWEST_OF_CLASS} samples, too few for an interval of their mean"
    )
    return {name: reason for name in values if name in MEANS_OF_CLASSES}


def _proportions(values: Mapping[str, float], counts: ClassCounts) -> dict[str, Interval]:
    """The intervals of shares of all samples."""
    n = float(counts.support.sum())
    shares = {name: value for name, value in values.items() if name in EXACT or name.startswith("top_")}
    return {
        name: _pair(*proportion_intervals(np.array(round(share * n)), np.array(n)))
        for name, share in shares.items()
    }


def _of_classes(counts: ClassCounts) -> dict[str, Ends]:
    return {
        "precision": proportion_intervals(counts.hits, counts.predicted),
        "recall": proportion_intervals(counts.hits, counts.support),
        "f1": f1_intervals(counts.hits, counts.support, counts.predicted),
    }


def _of_two(of_classes: Mapping[str, Ends]) -> dict[str, Interval]:
    """The intervals of two classes: of the positive one, and of the share of the other that is found."""
    low, high = of_classes["recall"]
    return {
        **{name: _pair(ends[0][1], ends[1][1]) for name, ends in of_classes.items()},
        "specificity": _pair(low[0], high[0]),
    }


def _areas_of_classes(
    predictions: Predictions,
    counts: ClassCounts,
    single: list[Areas],
    sample: influence.Sample,
    rng: np.random.Generator,
) -> dict[str, Ends]:
    """The ends of ROC AUC and average precision of each class (classes,); of no use where it is undefined."""
    support, n = counts.support, counts.support.sum()
    scores, targets = scores_to_rank_by(predictions.rows(sample.rows)), predictions.targets[sample.rows]
    errors = influence.area_errors(scores, targets, sample.weights) * expansion(len(sample.rows))
    auc, precision = _values(single)
    exact, on_logit = area_intervals(auc, support, n - support), logit_intervals(auc, errors[0])
    return {
        "roc_auc": (np.minimum(exact[0], on_logit[0]), np.maximum(exact[1], on_logit[1])),
        "average_precision": precision_intervals(precision, errors[1], support, support / n, rng),
    }


def _values(single: list[Areas]) -> Floats:
    """The areas of the classes (2, classes); 0.5 where one is undefined, whose interval is not used."""
    return np.array([[0.5 if isinstance(area, Undefined) else area for area in areas] for areas in single]).T


def _macro_areas(single: list[Areas], of_classes: Mapping[str, Ends]) -> dict[str, Interval]:
    found = zip(AREAS, _values(single), strict=True)
    return {
        f"{name}_macro": mean_of_classes(of_classes[name][0], value, of_classes[name][1])
        for name, value in found
    }


def _pooled_areas(
    values: Mapping[str, float], predictions: Predictions, sample: influence.Sample, rng: np.random.Generator
) -> dict[str, Interval]:
    """The intervals of the areas of all pairs of sample and class; pairs of one sample are not independent."""
    classes, n = predictions.scores.shape[1], len(predictions)
    scores, targets = scores_to_rank_by(predictions.rows(sample.rows)), predictions.targets[sample.rows]
    pooled = influence.pooled_area_influence(scores, targets, sample.weights)
    errors = [influence.standard_error(on, sample.weights) * expansion(len(sample.rows)) for on in pooled]
    auc, precision = (np.array([values[f"{name}_micro"]]) for name in AREAS)
    exact = area_intervals(auc, np.array(n / 2), np.array(n / 2 * (classes - 1)))
    on_logit = logit_intervals(auc, np.array(errors[0]))
    ends = precision_intervals(precision, np.array(errors[1]), np.array(n), np.array(1 / classes), rng)
    return {
        "roc_auc_micro": _pair(min(exact[0][0], on_logit[0][0]), max(exact[1][0], on_logit[1][0])),
        "average_precision_micro": _pair(ends[0][0], ends[1][0]),
    }


def _losses(
    values: Mapping[str, float], predictions: Predictions, sample: influence.Sample, rng: np.random.Generator
) -> dict[str, Interval]:
    """The intervals of log loss and Brier score."""
    scores, targets = predictions.scores[sample.rows], predictions.targets[sample.rows]
    found: dict[str, Interval] = {}
    if not {"log_loss", "brier"} & values.keys():  # no probabilities
        return found
    confidence = float(np.median(true_scores(scores, predicted_classes(scores))))
    if "log_loss" in values:
        losses = log_losses(scores, predictions.truth[sample.rows])
        typical = -float(np.log(max(1 - confidence, np.finfo(scores.dtype).eps)))
        found["log_loss"] = loss_interval(losses, sample.weights, max(float(losses.max()), typical), rng)
    if "brier" in values:
        squares = (scores[:, 1] - (targets == 1).astype(np.float64)) ** 2
        worst = max(float(squares.max()), confidence**2)
        found["brier"] = loss_interval(squares, sample.weights, worst, rng)
    return found


def _rows(counts: ClassCounts, classes: int, of_classes: Mapping[str, Ends]) -> list[dict[str, Interval]]:
    """The intervals of each class whose metrics are defined and rest on enough samples."""
    support = counts.support
    enough = np.minimum(support, support.sum() - support) >= FEWEST_OF_CLASS
    there = {
        "precision": counts.predicted > 0,
        "recall": support > 0,
        "f1": support + counts.predicted > 0,
        "roc_auc": enough,
        "average_precision": enough,
    }
    return [
        {
            name: _pair(low[label], high[label])
            for name, (low, high) in of_classes.items()
            if there[name][label]
        }
        for label in range(classes)
    ]


def _pair(low: Array | float, high: Array | float) -> Interval:
    return [float(low), float(high)]
