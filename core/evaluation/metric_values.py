"""Values of the metrics of predictions: those of a report, and for an epoch some of them, and no others."""

from collections.abc import Collection, Sequence

import numpy as np

from core.evaluation.calibration import calibration_curve, expected_calibration_error
from core.evaluation.checks import why_not_probabilities
from core.evaluation.classification import ClassCounts, averages, confusion_matrix, log_losses, top_k_hits
from core.evaluation.curves import Areas, areas, areas_of_classes, one_vs_rest, true_scores
from core.evaluation.predictions import Predictions
from core.evaluation.regression import regression_metrics, residuals
from core.evaluation.values import Array, Floats, Integers, Undefined, Value
from core.metrics import OF_MANY_CLASSES, TOP_K

__all__ = ["area_values", "brier_terms", "confidence", "count_values", "metric_values", "score_values"]

AREAS = ("roc_auc", "average_precision")
OF_PROBABILITIES = ("log_loss", "ece", "brier")


@np.errstate(over="ignore", invalid="ignore")
def metric_values(
    predictions: Predictions, wanted: Collection[str], class_names: Sequence[str]
) -> dict[str, float]:
    """Return the wanted metrics, NaN where these predictions do not define one.

    Args:
        wanted: names that `core.metrics.fitting_metrics` gives, apart from ``loss``.
        class_names: the name of each class number; empty for regression.
    """
    if not wanted:
        return {}
    if not np.isfinite(predictions.scores).all():
        return dict.fromkeys(wanted, np.nan)
    values = _class_values(predictions, wanted, list(class_names)) if class_names else _numbers(predictions)
    return {name: _number(values.get(name, np.nan)) for name in wanted}


def _number(value: Value) -> float:
    return float(value) if not isinstance(value, Undefined) and np.isfinite(value) else np.nan


def _numbers(predictions: Predictions) -> dict[str, Value]:
    return regression_metrics(predictions.targets, residuals(predictions))


def _class_values(predictions: Predictions, wanted: Collection[str], names: list[str]) -> dict[str, Value]:
    """The wanted values, and those that come with them at no cost."""
    values: dict[str, Value] = {}
    areas_wanted = {name for name in wanted if name.startswith(AREAS)}
    others = {*wanted} - areas_wanted - {*OF_PROBABILITIES, OF_MANY_CLASSES}
    if others or areas_wanted - {*AREAS}:
        matrix = confusion_matrix(predictions.predicted, predictions.targets, len(names))
        counts = ClassCounts.of(matrix)
        values |= count_values(counts, names, "validation")
        if areas_wanted - {*AREAS}:
            of_classes = areas_of_classes(predictions.scores, predictions.targets)
            values |= area_values(*of_classes, counts, names, "validation")
    if areas_wanted and areas_wanted <= {*AREAS}:  # of class 1 alone
        values |= dict(
            zip(AREAS, areas(one_vs_rest(predictions.scores[:, 1], predictions.targets == 1)), strict=True)
        )
    if OF_MANY_CLASSES in wanted:
        hits = top_k_hits(predictions.scores, predictions.targets, TOP_K)
        values[OF_MANY_CLASSES] = hits / len(predictions)
    if any(name in wanted for name in OF_PROBABILITIES) and not why_not_probabilities(predictions):
        values |= _of_probabilities(predictions, wanted)
    return values


def _of_probabilities(predictions: Predictions, wanted: Collection[str]) -> dict[str, Value]:
    scores, targets = predictions.scores, predictions.targets
    values: dict[str, Value] = {}
    if "log_loss" in wanted:
        values["log_loss"] = float(log_losses(scores, targets).mean())
    if "ece" in wanted:
        values["ece"] = expected_calibration_error(calibration_curve(*confidence(scores, predictions)))
    if "brier" in wanted:
        values["brier"] = float(brier_terms(scores, targets).mean())
    return values


def count_values(counts: ClassCounts, names: list[str], split: str) -> dict[str, Value]:
    """The metrics of the confusion matrix; of two classes also precision, recall and F1 of class 1."""
    found = averages(counts)
    values: dict[str, Value] = {name: float(value) for name, value in found.items()}
    if len(names) == 2:
        values |= {name: float(getattr(counts, name)[1]) for name in ("precision", "recall", "f1")}
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
    values: dict[str, Value] = {
        "log_loss": float(log_losses(predictions.scores, predictions.targets).mean()),
        "ece": expected_calibration_error(calibration_curve(*confidence(predictions.scores, predictions))),
    }
    if binary:
        values["brier"] = float(brier_terms(predictions.scores, predictions.targets).mean())
    return values


def confidence(
    scores: Array, predictions: Predictions, rows: Integers | slice = slice(None)
) -> tuple[Array, np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]:
    """The highest score of each row and whether its class is right."""
    predicted = predictions.predicted[rows]
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
