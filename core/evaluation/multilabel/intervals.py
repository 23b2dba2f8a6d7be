"""Intervals of the metrics of several labels a sample.

Labels of one sample depend on each other, so samples are drawn, not labels: the bootstrap of Rubin, "The Bayesian
bootstrap" (1981). Of a large split it draws blocks of samples, which are independent of each other just as samples
are. As in `core.evaluation.intervals.counts`, one more mistake is added for the low end, and one more hit for the
high end, so that a split without mistakes is not taken for certainty.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from core.counting import counted
from core.evaluation import influence
from core.evaluation.classification import ClassCounts
from core.evaluation.curves import Areas
from core.evaluation.intervals import LEVELS, Interval, unbiased, widened
from core.evaluation.intervals.areas import (
    FEWEST_OF_CLASS,
    area_intervals,
    logit_intervals,
    precision_intervals,
)
from core.evaluation.intervals.classification import Ends, Intervals
from core.evaluation.intervals.means import expansion
from core.evaluation.intervals.proportions import f1_intervals, proportion_intervals
from core.evaluation.multilabel.values import AREAS, Truths, averages, number_or_nan, sample_values
from core.evaluation.predictions import Predictions
from core.evaluation.values import Array, Floats, Integers
from core.metrics import MINIMISED

__all__ = ["multilabel_intervals"]

REPEATS = 1000
MAX_BLOCKS = 2000
MAX_PAIRS = 2_000_000
"""Pairs of sample and label from which the errors of areas are estimated; a random part of more."""


def multilabel_intervals(
    values: Mapping[str, float],
    predictions: Predictions,
    counts: ClassCounts,
    single: Sequence[Areas],
    rng: np.random.Generator,
) -> Intervals:
    """Return the intervals of some metrics, and of precision, recall, F1 and the areas of each label.

    Args:
        values: the metrics that are defined.
        counts: of each label (labels,).
        single: ROC AUC and average precision of each label.
    """
    targets, predicted = predictions.targets.astype(bool), predictions.predicted.astype(bool)
    ends = _drawn_ends(values, predicted, targets, rng)
    found = {name: widened(values[name], ends[name]) for name in values if name in ends}
    n = len(targets)
    if "subset_accuracy" in values:
        right = np.array(round(values["subset_accuracy"] * n))
        found["subset_accuracy"] = _pair(proportion_intervals(right, np.array(n)))
    of_labels, correlation = _areas_of_labels(predictions, targets, single, rng)
    support = np.asarray(counts.support)
    enough = np.minimum(support, n - support) >= FEWEST_OF_CLASS
    missing: dict[str, str] = {}
    if not enough.all():
        few = int(np.minimum(support, n - support).min())
        least = counted(few, "sample")
        reason = f"a label has {least} with or without it, fewer than the {FEWEST_OF_CLASS} an interval needs"
        missing = {name: reason for name in values if name.startswith(AREAS)}
    else:
        found |= _mean_areas(single, of_labels, correlation, support)
        found |= _pooled_areas(values, predictions, targets, rng)
    known = {name: found[name] for name in values if name in found and name not in missing}
    return Intervals(known, missing, _rows(counts, enough, of_labels))


def _drawn_ends(
    values: Mapping[str, float], predicted: Truths, targets: Truths, rng: np.random.Generator
) -> dict[str, Interval]:
    """Return the ends of the intervals of all means over labels and over samples."""
    of_samples = sample_values(predicted, targets)
    columns = [predicted & targets, targets, predicted, np.ones((len(targets), 1))]
    columns += [each[:, None] for each in of_samples.values()]
    blocks = _in_blocks(np.concatenate(columns, axis=1, dtype=np.float64), rng)
    (worse, plain), (better, _) = (
        _drawn(blocks, list(of_samples), targets.shape[1], rng, hit) for hit in (False, True)
    )
    return {
        name: _ends(*((better, worse) if name in MINIMISED else (worse, better)), plain, name, values[name])
        for name in worse
        if name in values and not (np.isnan(worse[name]).all() or np.isnan(better[name]).all())
    }


def _ends(
    lower: Mapping[str, Floats],
    upper: Mapping[str, Floats],
    plain: Mapping[str, Floats],
    name: str,
    value: float,
) -> Interval:
    """Return the interval of a metric between 0 and 1 from draws for its ends, and plain ones."""
    ends = [float(np.nanquantile(lower[name], LEVELS[0])), float(np.nanquantile(upper[name], LEVELS[1]))]
    bias = 0.0 if np.isnan(plain[name]).all() else float(np.nanmean(plain[name])) - value
    low, high = unbiased(ends, bias)
    return [max(0.0, low), min(1.0, high)]


def _drawn(
    blocks: Floats, of_samples: Sequence[str], labels: int, rng: np.random.Generator, hit: bool
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Return each metric of each draw, (draws,): with one more label that is hit, or else missed or given wrongly.

    And those without it.

    Args:
        blocks: (blocks, 3 labels + 1 + metrics of samples): hits, support, predictions, samples, then sums of metrics.
    """
    sums = rng.standard_exponential((REPEATS, len(blocks))) @ blocks
    extra, rows = rng.standard_exponential(REPEATS), np.arange(REPEATS)
    label, is_missed = rng.integers(0, labels, REPEATS), rng.random(REPEATS) < 0.5
    counts = ClassCounts(*(sums[:, part * labels : (part + 1) * labels] for part in range(3)))
    plain = averages(counts)
    if hit:
        counts.hits[rows, label] += extra
    counts.support[rows, label] += extra * (hit | is_missed)
    counts.predicted[rows, label] += extra * (hit | ~is_missed)
    drawn = averages(counts)
    for name, sum_ in zip(of_samples, sums[:, 3 * labels + 1 :].T, strict=True):
        added = (0.0 if hit else 1 / labels) if name in MINIMISED else float(hit)
        drawn[name] = (sum_ + extra * added) / (sums[:, 3 * labels] + extra)
        plain[name] = sum_ / sums[:, 3 * labels]
    return drawn, plain


def _in_blocks(rows: Floats, rng: np.random.Generator) -> Floats:
    """Return the sums of random blocks of rows; of few rows the rows."""
    if len(rows) <= MAX_BLOCKS:
        return rows
    starts = np.linspace(0, len(rows), MAX_BLOCKS, endpoint=False).astype(np.int64)
    sums: Floats = np.add.reduceat(rows[rng.permutation(len(rows))], starts, axis=0)
    return sums


def _areas_of_labels(
    predictions: Predictions, targets: Truths, single: Sequence[Areas], rng: np.random.Generator
) -> tuple[dict[str, Ends], dict[str, Floats]]:
    """Return the ends of ROC AUC and average precision of each label (labels,), and how labels correlate.

    Where a metric is undefined its ends are of no use. Correlations (labels, labels) are those of the influences of
    samples; a metric without spread is taken for independent of the others.
    """
    n, labels = targets.shape
    rows = rng.permutation(n)[: max(1, MAX_PAIRS // labels)]
    scores, positive, weights = predictions.scores[rows], targets[rows], np.full(len(rows), n / len(rows))
    influences = np.zeros((len(AREAS), labels, len(rows)))
    for label in range(labels):
        if positive[:, label].any() and not positive[:, label].all():
            influences[:, label] = influence.area_influence(scores[:, label], positive[:, label], weights)
    errors = np.sqrt((influences**2 * weights).sum(axis=2)) / n * expansion(len(rows))
    support = np.count_nonzero(targets, axis=0)
    auc, precision = _areas(single)
    exact, on_logit = area_intervals(auc, support, n - support), logit_intervals(auc, errors[0])
    ends = {
        "roc_auc": (np.minimum(exact[0], on_logit[0]), np.maximum(exact[1], on_logit[1])),
        "average_precision": precision_intervals(precision, errors[1], support, support / n, rng),
    }
    return ends, dict(zip(AREAS, map(_correlation, influences), strict=True))


def _areas(single: Sequence[Areas]) -> Floats:
    """Return the areas of the labels (2, labels); 0.5 where one is undefined, whose interval is not used."""
    found: Floats = np.array([[number_or_nan(area) for area in of_label] for of_label in single]).T
    found[np.isnan(found)] = 0.5
    return found


def _correlation(influences: Floats) -> Floats:
    """Return the correlations (labels, labels) of influences (labels, n)."""
    spread = np.sqrt((influences**2).sum(axis=1))
    scaled = influences / np.where(spread > 0, spread, 1)[:, None]
    found: Floats = scaled @ scaled.T
    np.fill_diagonal(found, 1)
    return found


def _mean_areas(
    single: Sequence[Areas],
    ends: Mapping[str, Ends],
    correlations: Mapping[str, Floats],
    support: Integers,
) -> dict[str, Interval]:
    """Return the intervals of the macro and weighted means of areas.

    Distances to the ends add up as correlated variances do (MOVER: Zou and Donner, "Construction of confidence
    intervals about effect measures", 2008).
    """
    found: dict[str, Interval] = {}
    for metric, of_labels in zip(AREAS, _areas(single), strict=True):
        low, high = ends[metric]
        for mean, weights in (("macro", np.ones(len(support))), ("weighted", support)):
            share = weights / weights.sum()
            value = float(share @ of_labels)
            below, above = (
                float(np.sqrt(max(0.0, part @ correlations[metric] @ part)))
                for part in (share * (of_labels - low), share * (high - of_labels))
            )
            found[f"{metric}_{mean}"] = [max(0.0, value - below), min(1.0, value + above)]
    return found


def _pooled_areas(
    values: Mapping[str, float], predictions: Predictions, targets: Truths, rng: np.random.Generator
) -> dict[str, Interval]:
    """Return the intervals of the areas of all pairs of sample and label; pairs of one sample are not independent."""
    n, labels = targets.shape
    rows = rng.permutation(n)[: max(1, MAX_PAIRS // labels)]
    weights = np.full(len(rows), n / len(rows))
    pooled = influence.area_influence(
        predictions.scores[rows].ravel(), targets[rows].ravel(), np.repeat(weights, labels)
    )
    errors = [
        np.array(influence.standard_error(on.reshape(len(rows), labels).mean(axis=1), weights))
        * expansion(len(rows))
        for on in pooled
    ]
    auc, precision = (np.array([values[f"{name}_micro"]]) for name in AREAS)
    positives = np.count_nonzero(targets)
    samples = np.array([positives, n * labels - positives]) / labels
    exact, on_logit = area_intervals(auc, *samples), logit_intervals(auc, errors[0])
    share = np.array(positives / (n * labels))
    ends = precision_intervals(precision, errors[1], np.array(positives / labels), share, rng)
    return {
        "roc_auc_micro": _pair((min(exact[0][0], on_logit[0][0]), max(exact[1][0], on_logit[1][0]))),
        "average_precision_micro": _pair((ends[0][0], ends[1][0])),
    }


def _rows(counts: ClassCounts, enough: Truths, of_areas: Mapping[str, Ends]) -> list[dict[str, Interval]]:
    """Return the intervals of each label whose metrics are defined and rest on enough samples."""
    support, predicted = np.asarray(counts.support), np.asarray(counts.predicted)
    ends: dict[str, Ends] = {
        "precision": proportion_intervals(counts.hits, predicted),
        "recall": proportion_intervals(counts.hits, support),
        "f1": f1_intervals(counts.hits, support, predicted),
        **of_areas,
    }
    there = {
        "precision": predicted > 0,
        "recall": support > 0,
        "f1": support + predicted > 0,
        "roc_auc": enough,
        "average_precision": enough,
    }
    return [
        {name: _pair((low[label], high[label])) for name, (low, high) in ends.items() if there[name][label]}
        for label in range(len(support))
    ]


def _pair(ends: Sequence[Array | float]) -> Interval:
    return [float(end) for end in ends]
