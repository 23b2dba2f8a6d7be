"""The report of a classifier: point values, reasons, baseline, intervals."""

from collections.abc import Sequence

import numpy as np

from core.evaluation.calibration import error_when_calibrated
from core.evaluation.classification import (
    ClassCounts,
    averages,
    confusion_matrix,
    top_k_hits,
    weighted_matrix,
)
from core.evaluation.curves import Areas
from core.evaluation.intervals.classification import Intervals, classification_intervals, weighted_intervals
from core.evaluation.metric_values import (
    area_values,
    class_areas,
    class_counts,
    confidence,
    count_values,
    score_values,
)
from core.evaluation.predictions import Predictions
from core.evaluation.report import Report
from core.evaluation.values import Array, Undefined, Value, none_if_nan
from core.evaluation.weighted import effective_size, mean_of, pooled_chance
from core.metrics import OF_MANY_CLASSES, TOP_K


def classification_report(
    predictions: Predictions, *, task: str, class_names: Sequence[str], split: str, seed: int, intervals: bool
) -> Report:
    """Evaluate checked predictions (n, classes); see ``core.evaluation.evaluate``."""
    names, classes = list(class_names), len(class_names)
    matrix = confusion_matrix(predictions.predicted, predictions.targets, classes)
    weights, counts = predictions.weights, class_counts(predictions, classes)
    single, pooled = class_areas(predictions)

    values = count_values(counts, names, split)
    values |= area_values(single, pooled, counts, names, split)
    values |= score_values(predictions)
    if classes > TOP_K:
        hits = top_k_hits(predictions.scores, predictions.targets, TOP_K)
        values[OF_MANY_CLASSES] = mean_of(hits, weights)
    defined = {name: value for name, value in values.items() if not isinstance(value, Undefined)}
    found = Intervals()
    rng = np.random.default_rng(seed)
    if intervals and weights is not None:
        sums = weighted_matrix(predictions.predicted, predictions.targets, classes, weights)
        found = weighted_intervals(defined, sums, effective_size(weights), rng)
    elif intervals:
        found = classification_intervals(defined, predictions, matrix, single, rng)
    return Report(
        task=task,
        split=split,
        n=len(predictions),
        class_names=names,
        metrics={name: defined.get(name) for name in values},
        undefined={name: value.reason for name, value in values.items() if isinstance(value, Undefined)},
        intervals=found.found,
        no_interval=found.missing,
        class_intervals=found.classes,
        baseline=_baseline(counts.support, _frequency(predictions, counts.support), names, values)
        | _calibrated(predictions, values),
        per_class=_per_class(counts, matrix.sum(axis=1).tolist(), single, names),
        confusion=matrix.tolist(),
        effective_n=None if weights is None else effective_size(weights),
        threshold=None if predictions.thresholds is None else float(predictions.thresholds[0]),
    )


def _baseline(
    support: Array, frequency: Array, names: list[str], values: dict[str, Value]
) -> dict[str, float | str]:
    """Return the metrics of always predicting the most frequent class; for scores and ranks, the class frequencies."""
    majority = int(support.argmax())
    matrix = np.zeros((len(names), len(names)), dtype=support.dtype)
    matrix[:, majority] = support
    reached = {name: float(value) for name, value in averages(ClassCounts.of(matrix)).items()}
    # The other classes are never predicted, so these two are undefined.
    del reached["precision_macro"], reached["precision_weighted"]
    present = frequency[frequency > 0]
    reached |= dict.fromkeys(("roc_auc", "roc_auc_macro"), 0.5)
    reached["average_precision_macro"] = 1 / len(names)
    reached["roc_auc_micro"], reached["average_precision_micro"] = pooled_chance(
        support, float(support.sum())
    )
    reached["log_loss"] = float(-present @ np.log(present))
    reached[OF_MANY_CLASSES] = float(np.sort(frequency)[-TOP_K:].sum())
    if len(names) == 2:
        reached["specificity"] = float(majority == 0)
        reached |= {"average_precision": float(frequency[1]), "brier": float(frequency[0] * frequency[1])}
    known = {
        name: reached[name]
        for name, value in values.items()
        if not isinstance(value, Undefined) and not np.isnan(reached.get(name, np.nan))
    }
    return {"description": f"always {names[majority]!r}, the most frequent class", **known}


def _frequency(predictions: Predictions, support: Array) -> Array:
    """Return the share of each class (classes,) in all samples."""
    if predictions.shares is None:
        frequency: Array = support / support.sum()
        return frequency
    return np.average(predictions.shares, axis=0, weights=predictions.weights)


def _calibrated(predictions: Predictions, values: dict[str, Value]) -> dict[str, float | str]:
    """Return the calibration error that a calibrated model of the same confidence would have."""
    if isinstance(values["ece"], Undefined):
        return {}
    return {"ece": error_when_calibrated(confidence(predictions.scores, predictions)[0])}


def _per_class(
    counts: ClassCounts, support: list[int], single: list[Areas], names: list[str]
) -> list[dict[str, str | int | float | None]]:
    columns = zip(names, counts.precision, counts.recall, counts.f1, support, single, strict=True)
    return [
        {
            "name": name,
            "precision": none_if_nan(precision),
            "recall": none_if_nan(recall),
            "f1": none_if_nan(f1),
            "support": samples,
            "roc_auc": None if isinstance(auc, Undefined) else auc,
            "average_precision": None if isinstance(average, Undefined) else average,
        }
        for name, precision, recall, f1, samples, (auc, average) in columns
    ]
