"""Metrics of several labels a sample; formulas and edge cases are those of scikit-learn's multilabel metrics."""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from core.evaluation.classification import ClassCounts
from core.evaluation.curves import Areas, RankedCounts, areas
from core.evaluation.predictions import Predictions
from core.evaluation.values import Array, Floats, Undefined, Value, ratio
from core.evaluation.weighted import mean_of, weighted_areas

__all__ = [
    "AREAS",
    "MEANS",
    "RATES",
    "areas_of_labels",
    "averages",
    "label_area_values",
    "label_count_values",
    "label_counts",
    "multilabel_values",
    "number_or_nan",
    "sample_values",
]

RATES = ("precision", "recall", "f1")
AREAS = ("roc_auc", "average_precision")
MEANS = ("macro", "micro", "weighted")
SHOWN = 3

Truths = NDArray[np.bool_]


def label_counts(predicted: Truths, targets: Truths, weights: Floats | None = None) -> ClassCounts:
    """Return hits, support and predictions of each label, (labels,), from truth values (n, labels).

    Args:
        weights: of the samples (n,), whose sums take the place of counts.
    """
    parts = (predicted & targets, targets, predicted)
    if weights is not None:
        return ClassCounts(*(weights @ part for part in parts))
    return ClassCounts(*(np.count_nonzero(part, axis=0) for part in parts))


def averages(counts: ClassCounts) -> dict[str, Floats]:
    """Return macro, micro and weighted precision, recall and F1, each of the leading shape of `counts`.

    Macro and weighted means go over the labels for which the metric is defined.
    """
    support = np.asarray(counts.support, dtype=np.float64)
    pooled = ClassCounts(
        *(np.asarray(part).sum(axis=-1) for part in (counts.hits, counts.support, counts.predicted))
    )
    found: dict[str, Floats] = {}
    for name in RATES:
        values: Floats = getattr(counts, name)
        defined = ~np.isnan(values)
        found[f"{name}_macro"] = ratio(np.nansum(values, axis=-1), np.count_nonzero(defined, axis=-1))
        found[f"{name}_micro"] = getattr(pooled, name)
        found[f"{name}_weighted"] = ratio(np.nansum(values * support, axis=-1), support.sum(axis=-1))
    return found


def sample_values(predicted: Truths, targets: Truths) -> dict[str, Floats]:
    """Return what the means over samples are taken of, each (n,).

    Precision, recall and F1 of a sample without labels that they could be a share of are 0, as in scikit-learn.
    """
    hits = np.count_nonzero(predicted & targets, axis=1)
    own, given = np.count_nonzero(targets, axis=1), np.count_nonzero(predicted, axis=1)
    of_samples = ClassCounts(hits, own, given)
    wrong = own + given - 2 * hits
    return {
        "subset_accuracy": (wrong == 0).astype(np.float64),
        "hamming_loss": wrong / targets.shape[1],
        **{f"{name}_samples": np.nan_to_num(getattr(of_samples, name)) for name in RATES},
    }


def label_count_values(counts: ClassCounts, names: Sequence[str], split: str) -> dict[str, Value]:
    """Return macro, micro and weighted metrics, with the reason where scikit-learn would warn."""
    found = averages(counts)
    values: dict[str, Value] = {name: float(value) for name, value in found.items()}
    support, predicted = np.asarray(counts.support), np.asarray(counts.predicted)
    lacking = {
        "precision": (predicted == 0, "never predicted"),
        "recall": (support == 0, f"not in the {split} split"),
        "f1": ((predicted == 0) & (support == 0), f"neither in the {split} split nor predicted"),
    }
    for name, (where, what) in lacking.items():
        if where.any():
            reason = f"{_listed(where, names)} {what}"
            values[f"{name}_macro"] = Undefined(reason + _mean_of_others(float(found[f"{name}_macro"])))
        if (where & (support > 0)).any():
            values[f"{name}_weighted"] = Undefined(f"{_listed(where & (support > 0), names)} {what}")
    nothing = {"precision": "no label is predicted", "recall": f"no sample of the {split} split has a label"}
    return {
        name: Undefined(nothing.get(name.partition("_")[0], "no label is there or predicted"))
        if isinstance(value, float) and np.isnan(value)
        else value
        for name, value in values.items()
    }


def areas_of_labels(
    scores: Array, targets: Truths, weights: Floats | None = None
) -> tuple[list[Areas], Areas]:
    """Return ROC AUC and average precision of each label, and of all pairs of sample and label pooled (micro)."""
    if weights is not None:
        each = [weighted_areas(*pair, weights) for pair in zip(scores.T, targets.T, strict=True)]
        pairs = np.repeat(weights, scores.shape[1])
        return each, weighted_areas(scores.ravel(), targets.ravel(), pairs)
    single = []
    for column, positive in zip(scores.T, targets.T, strict=True):
        single.append(areas(RankedCounts(np.sort(column), np.sort(column[positive]))))
    pooled = areas(RankedCounts(np.sort(scores, axis=None), np.sort(scores[targets])))
    return single, pooled


def label_area_values(
    single: Sequence[Areas], pooled: Areas, support: Array, names: Sequence[str], split: str
) -> dict[str, Value]:
    """Return macro, micro and weighted ROC AUC and average precision."""
    values: dict[str, Value] = {}
    for place, metric in enumerate(AREAS):
        of_labels = np.array([number_or_nan(label[place]) for label in single])
        lacking = np.isnan(of_labels)
        weights = np.where(lacking, 0, support)
        mean = float(np.nanmean(of_labels)) if not lacking.all() else np.nan
        reason = f"{_listed(lacking, names)} in none or in all samples of the {split} split"
        values[f"{metric}_macro"] = Undefined(reason + _mean_of_others(mean)) if lacking.any() else mean
        values[f"{metric}_micro"] = pooled[place]
        values[f"{metric}_weighted"] = (
            Undefined(reason)
            if (lacking & (np.asarray(support) > 0)).any() or not weights.sum()
            else float(np.nansum(of_labels * weights) / weights.sum())
        )
    return values


def number_or_nan(value: Value) -> float:
    """Return a value, NaN where it is undefined."""
    return np.nan if isinstance(value, Undefined) else float(value)


def multilabel_values(
    predictions: Predictions, wanted: Collection[str], names: Sequence[str], split: str = "validation"
) -> dict[str, Value]:
    """Return the wanted metrics of predictions, and those that come with them at no cost."""
    targets, predicted = predictions.targets.astype(bool), predictions.predicted.astype(bool)
    weights = predictions.weights
    counts = label_counts(predicted, targets, weights)
    values = label_count_values(counts, names, split)
    values |= {name: mean_of(each, weights) for name, each in sample_values(predicted, targets).items()}
    if any(name.startswith(AREAS) for name in wanted):
        single, pooled = areas_of_labels(predictions.scores, targets, weights)
        values |= label_area_values(single, pooled, np.asarray(counts.support), names, split)
    return values


def _listed(where: Truths, names: Sequence[str]) -> str:
    """Return the first labels by name, quoted, with the verb that fits."""
    places = np.flatnonzero(where)
    shown = ", ".join(repr(names[place]) for place in places[:SHOWN])
    if len(places) == 1:
        return f"label {shown} is"
    more = f" and {len(places) - SHOWN} more" if len(places) > SHOWN else ""
    return f"labels {shown}{more} are"


def _mean_of_others(mean: float) -> str:
    return "" if np.isnan(mean) else f"; the mean over the other labels is {mean:.4f}"
