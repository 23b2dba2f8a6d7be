"""Values of the metrics of predictions: those of a report, and for an epoch some of them, and no others."""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from core.evaluation.calibration import calibration_curve, expected_calibration_error
from core.evaluation.checks import why_not_probabilities
from core.evaluation.classification import (
    ClassCounts,
    averages,
    confusion_matrix,
    log_losses,
    row_blocks,
    top_k_hits,
    weighted_matrix,
)
from core.evaluation.curves import Areas, areas, areas_of_classes, one_vs_rest, true_scores
from core.evaluation.multilabel.values import multilabel_values
from core.evaluation.predictions import Predictions
from core.evaluation.regression import number_metrics
from core.evaluation.values import Array, Floats, Integers, Undefined, Value
from core.evaluation.weighted import mean_of, weighted_areas, weighted_areas_of_classes
from core.metrics import OF_MANY_CLASSES, TOP_K

__all__ = [
    "area_values",
    "brier_terms",
    "class_areas",
    "class_counts",
    "confidence",
    "count_values",
    "metric_values",
    "score_values",
    "scores_to_rank_by",
]

AREAS = ("roc_auc", "average_precision")
OF_PROBABILITIES = ("log_loss", "ece", "brier")


@np.errstate(over="ignore", invalid="ignore")
def metric_values(
    predictions: Predictions, wanted: Collection[str], class_names: Sequence[str]
) -> dict[str, float]:
    """Return the wanted metrics, NaN where these predictions do not define one.

    Args:
        wanted: names that `core.tasks` gives, apart from ``loss``.
        class_names: the name of each class number; empty for regression.
    """
    if not wanted:
        return {}
    if not np.isfinite(predictions.scores).all():
        return dict.fromkeys(wanted, np.nan)
    if predictions.has_labels:
        found = multilabel_values(predictions, wanted, class_names)
        return {name: _number(found.get(name, np.nan)) for name in wanted}
    values = _class_values(predictions, wanted, list(class_names)) if class_names else _numbers(predictions)
    return {name: _number(values.get(name, np.nan)) for name in wanted}


def _number(value: Value) -> float:
    return float(value) if not isinstance(value, Undefined) and np.isfinite(value) else np.nan


def _numbers(predictions: Predictions) -> dict[str, Value]:
    return number_metrics(predictions)


def class_counts(predictions: Predictions, classes: int) -> ClassCounts:
    """Return the counts of each class, or sums of the samples' weights."""
    predicted, targets = predictions.predicted, predictions.targets
    if predictions.weights is None:
        return ClassCounts.of(confusion_matrix(predicted, targets, classes))
    return ClassCounts.of(weighted_matrix(predicted, targets, classes, predictions.weights))


def class_areas(predictions: Predictions) -> tuple[list[Areas], Areas]:
    """Return ROC AUC and average precision of each class, and of all pairs of sample and class."""
    scores, targets = scores_to_rank_by(predictions), predictions.targets
    if predictions.weights is None:
        return areas_of_classes(scores, targets)
    return weighted_areas_of_classes(scores, targets, predictions.weights)


def scores_to_rank_by(predictions: Predictions) -> Array:
    """Return scores (n, classes) whose order is that of the probabilities before some were rounded to 1.

    Those are the log-odds, which the probabilities of the other classes still tell apart.
    """
    scores = predictions.scores
    if not predictions.probabilities or not len(scores) or scores.max() != 1 or scores.min() < 0:
        return scores
    odds = np.empty(scores.shape)
    for rows in row_blocks(len(scores)):
        odds[rows] = _log_odds(scores[rows].astype(np.float64))
    return odds


def _log_odds(exact: Floats) -> Floats:
    """Log-odds of probabilities (n, classes); those of a probability of 1 from what the others sum to."""
    rows, top = np.arange(len(exact)), exact.argmax(axis=1)
    highest = exact[rows, top]
    others = 1 - exact
    exact[rows, top] = 0
    others[rows, top] = exact.sum(axis=1)
    exact[rows, top] = highest
    with np.errstate(divide="ignore"):
        odds: Floats = np.nan_to_num(np.log(exact) - np.log(others))
    return odds


def _areas(scores: Array, positive: NDArray[np.bool_], weights: Floats | None) -> Areas:
    return (
        areas(one_vs_rest(scores, positive)) if weights is None else weighted_areas(scores, positive, weights)
    )


def _class_values(predictions: Predictions, wanted: Collection[str], names: list[str]) -> dict[str, Value]:
    """The wanted values, and those that come with them at no cost."""
    values: dict[str, Value] = {}
    areas_wanted = {name for name in wanted if name.startswith(AREAS)}
    others = {*wanted} - areas_wanted - {*OF_PROBABILITIES, OF_MANY_CLASSES}
    weights = predictions.weights
    if others or areas_wanted - {*AREAS}:
        counts = class_counts(predictions, len(names))
        values |= count_values(counts, names, "validation")
        if areas_wanted - {*AREAS}:
            of_classes = class_areas(predictions)
            values |= area_values(*of_classes, counts, names, "validation")
    if areas_wanted and areas_wanted <= {*AREAS}:  # of class 1 alone
        values |= dict(
            zip(
                AREAS,
                _areas(scores_to_rank_by(predictions)[:, 1], predictions.targets == 1, weights),
                strict=True,
            )
        )
    if OF_MANY_CLASSES in wanted:
        hits = top_k_hits(predictions.scores, predictions.targets, TOP_K)
        values[OF_MANY_CLASSES] = mean_of(hits, weights)
    if any(name in wanted for name in OF_PROBABILITIES) and not why_not_probabilities(predictions):
        values |= _of_probabilities(predictions, wanted)
    return values


def _of_probabilities(predictions: Predictions, wanted: Collection[str]) -> dict[str, Value]:
    scores, targets, weights = predictions.scores, predictions.targets, predictions.weights
    values: dict[str, Value] = {}
    if "log_loss" in wanted:
        values["log_loss"] = mean_of(log_losses(scores, predictions.truth), weights)
    if "ece" in wanted:
        values["ece"] = expected_calibration_error(
            calibration_curve(*confidence(scores, predictions), weights=weights)
        )
    if "brier" in wanted:
        values["brier"] = mean_of(brier_terms(scores, targets), weights)
    return values


def count_values(counts: ClassCounts, names: list[str], split: str) -> dict[str, Value]:
    """The metrics of the confusion matrix; of two classes also specificity, and precision, recall and F1 of class 1."""
    found = averages(counts)
    values: dict[str, Value] = {name: float(value) for name, value in found.items()}
    if len(names) == 2:
        values |= {name: float(getattr(counts, name)[1]) for name in ("precision", "recall", "f1")}
        values["specificity"] = float(counts.recall[0])
    support, predicted = counts.support, counts.predicted
    never = np.flatnonzero((predicted == 0) & (support > 0))
    if len(never):
        reason = f"{_listed(never, names, 'is', 'are')} never predicted"
        values["precision_macro"] = Undefined(reason + _mean_of_others(found["precision_macro"]))
        values["precision_weighted"] = Undefined(reason)
    absent = np.flatnonzero((support == 0) & (predicted > 0))
    if len(absent):
        reason = f"{_listed(absent, names, 'is', 'are')} predicted but not in the {split} split"
        values["recall_macro"] = Undefined(reason + _mean_of_others(found["recall_macro"]))
    one_class = Undefined(
        "all targets are of one class"
        if support.max() == support.sum()
        else "all predictions are of one class"
    )
    of_positive = Undefined(f"class {names[1]!r} is not in the {split} split or never predicted")
    if len(names) == 2 and not support[0]:
        values["specificity"] = Undefined(f"class {names[0]!r} is not in the {split} split")
    return {
        name: (of_positive if name in ("precision", "recall", "f1") else one_class)
        if isinstance(value, float) and np.isnan(value)
        else value
        for name, value in values.items()
    }


def area_values(
    single: list[Areas], pooled: Areas, counts: ClassCounts, names: list[str], split: str
) -> dict[str, Value]:
    """ROC AUC and average precision: macro, micro and, with two classes, of class 1."""
    values: dict[str, Value] = {}
    absent = np.flatnonzero(counts.support == 0)
    for position, metric in enumerate(("roc_auc", "average_precision")):
        of_classes = [areas[position] for areas in single]
        defined = [area for area in of_classes if not isinstance(area, Undefined)]
        mean = float(np.mean(defined)) if defined else np.nan
        if len(absent):
            reason = f"{_listed(absent, names, 'is', 'are')} not in the {split} split"
            values[f"{metric}_macro"] = Undefined(reason + _mean_of_others(mean))
        else:
            values[f"{metric}_macro"] = mean
        values[f"{metric}_micro"] = pooled[position]
        if len(names) == 2:
            values[metric] = of_classes[1]
    return values


def score_values(predictions: Predictions) -> dict[str, Value]:
    """The metrics that need probabilities."""
    reason = why_not_probabilities(predictions)
    binary = predictions.scores.shape[1] == 2
    if reason:
        return dict.fromkeys(["log_loss", "ece"] + ["brier"] * binary, Undefined(reason))
    return _of_probabilities(predictions, ["log_loss", "ece"] + ["brier"] * binary)


def confidence(
    scores: Array, predictions: Predictions, rows: Integers | slice = slice(None)
) -> tuple[Array, np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]:
    """The highest score of each row and whether its class is right, whatever the threshold of two classes."""
    predicted = predictions.likeliest[rows]
    return true_scores(scores, predicted), predicted == predictions.targets[rows]


def brier_terms(scores: Array, targets: Integers) -> Floats:
    """Squared distance of the probability of class 1 from what happened (Brier 1950)."""
    distance: Floats = scores[:, 1] - (targets == 1).astype(np.float64)
    return distance**2


def _listed(classes: Integers, names: list[str], one: str, many: str) -> str:
    """The first three of some classes by name, quoted, control characters escaped, and the verb that fits."""
    shown = ", ".join(repr(names[label]) for label in classes[:3])
    if len(classes) == 1:
        return f"class {shown} {one}"
    rest = f" and {len(classes) - 3} more" if len(classes) > 3 else ""
    return f"classes {shown}{rest} {many}"


def _mean_of_others(mean: float | Floats) -> str:
    return "" if np.isnan(mean) else f"; the mean over the other classes is {float(mean):.4f}"
