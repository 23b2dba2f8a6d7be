"""The report of a classifier: point values, reasons, baseline, intervals."""

from collections.abc import Sequence

import numpy as np

from core.evaluation import influence
from core.evaluation.calibration import calibration_curve, expected_calibration_error
from core.evaluation.checks import why_not_probabilities
from core.evaluation.classification import ClassCounts, averages, confusion_matrix, log_losses, top_k_hits
from core.evaluation.curves import Areas, areas_of_classes, true_scores
from core.evaluation.intervals import (
    Interval,
    matrix_intervals,
    mean_offsets,
    share_interval,
    shifted,
    shifted_on_logit,
)
from core.evaluation.predictions import Predictions
from core.evaluation.report import Report
from core.evaluation.values import Array, Floats, Integers, Undefined, Value, none_if_nan

TOP_K = 5
TOP_K_KEY = f"top_{TOP_K}_accuracy"


def classification_report(
    predictions: Predictions, *, task: str, class_names: Sequence[str], split: str, seed: int, intervals: bool
) -> Report:
    """Evaluate checked predictions (n, classes); see ``core.evaluation.evaluate``."""
    names, classes = list(class_names), len(class_names)
    matrix = confusion_matrix(predictions.predicted, predictions.targets, classes)
    counts = ClassCounts.of(matrix)
    single, pooled = areas_of_classes(predictions.scores, predictions.targets)

    values = _count_values(counts, names, split)
    values |= _area_values(single, pooled, counts, names, split)
    values |= _score_values(predictions)
    if classes > TOP_K:
        values[TOP_K_KEY] = top_k_hits(predictions.scores, predictions.targets, TOP_K) / len(predictions)
    return Report(
        task=task,
        split=split,
        n=len(predictions),
        class_names=names,
        metrics={name: None if isinstance(value, Undefined) else value for name, value in values.items()},
        undefined={name: value.reason for name, value in values.items() if isinstance(value, Undefined)},
        intervals=_intervals(values, predictions, matrix, np.random.default_rng(seed)) if intervals else {},
        baseline=_baseline(counts.support, names, values),
        per_class=_per_class(counts, single, names),
        confusion=matrix.tolist(),
    )


def _count_values(counts: ClassCounts, names: list[str], split: str) -> dict[str, Value]:
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


def _area_values(
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


def _score_values(predictions: Predictions) -> dict[str, Value]:
    """The metrics that need probabilities."""
    reason = why_not_probabilities(predictions)
    binary = predictions.scores.shape[1] == 2
    if reason:
        return dict.fromkeys(["log_loss", "ece"] + ["brier"] * binary, Undefined(reason))
    values: dict[str, Value] = {
        "log_loss": float(log_losses(predictions.scores, predictions.targets).mean()),
        "ece": expected_calibration_error(calibration_curve(*_confidence(predictions.scores, predictions))),
    }
    if binary:
        values["brier"] = float(_brier_terms(predictions.scores, predictions.targets).mean())
    return values


def _intervals(
    values: dict[str, Value], predictions: Predictions, matrix: Integers, rng: np.random.Generator
) -> dict[str, Interval]:
    defined = {name: value for name, value in values.items() if not isinstance(value, Undefined)}
    found = {name: interval for name, interval in matrix_intervals(matrix, rng).items() if name in defined}
    if TOP_K_KEY in defined:
        found[TOP_K_KEY] = share_interval(defined[TOP_K_KEY], len(predictions), rng)
    sample = influence.sample_rows(predictions.targets, len(matrix), rng)
    influences = _influences(defined, predictions, sample)
    offsets = mean_offsets(np.stack(list(influences.values()), axis=1), sample.weights, rng)
    for name, offset in zip(influences, offsets.T, strict=True):
        on_logit = name.startswith(("roc_auc", "average_precision"))
        found[name] = (shifted_on_logit if on_logit else shifted)(defined[name], offset)
    return found


def _influences(
    defined: dict[str, float], predictions: Predictions, sample: influence.Sample
) -> dict[str, Floats]:
    """The influences (m,) of the sampled rows on every defined metric of the scores."""
    scores, targets, weights = (
        predictions.scores[sample.rows],
        predictions.targets[sample.rows],
        sample.weights,
    )
    found: dict[str, Floats] = {}
    if "roc_auc_macro" in defined:
        found["roc_auc_macro"], found["average_precision_macro"] = influence.mean_area_influence(
            scores, targets, weights
        )
    if "roc_auc" in defined:
        found["roc_auc"], found["average_precision"] = influence.area_influence(
            scores[:, 1], targets == 1, weights
        )
    found["roc_auc_micro"], found["average_precision_micro"] = influence.pooled_area_influence(
        scores, targets, weights
    )
    if "log_loss" in defined:
        found["log_loss"] = influence.centred(log_losses(scores, targets), weights)
        confidence, correct = _confidence(scores, predictions, sample.rows)
        found["ece"] = influence.calibration_influence(confidence, correct, weights)
    if "brier" in defined:
        found["brier"] = influence.centred(_brier_terms(scores, targets), weights)
    return found


def _confidence(
    scores: Array, predictions: Predictions, rows: Integers | slice = slice(None)
) -> tuple[Array, np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]:
    """The highest score of each row and whether its class is right."""
    predicted = predictions.predicted[rows]
    return true_scores(scores, predicted), predicted == predictions.targets[rows]


def _brier_terms(scores: Array, targets: Integers) -> Floats:
    """Squared distance of the probability of class 1 from what happened (Brier 1950)."""
    distance: Floats = scores[:, 1] - (targets == 1).astype(np.float64)
    return distance**2


def _baseline(support: Array, names: list[str], values: dict[str, Value]) -> dict[str, float | str]:
    """Return the metrics of always predicting the most frequent class; for log loss, the class frequencies."""
    frequency = support / support.sum()
    majority = int(support.argmax())
    matrix = np.zeros((len(names), len(names)), dtype=np.int64)
    matrix[:, majority] = support
    reached = {name: float(value) for name, value in averages(ClassCounts.of(matrix)).items()}
    # The other classes are never predicted, so these two are undefined.
    del reached["precision_macro"], reached["precision_weighted"]
    present = frequency[frequency > 0]
    reached |= dict.fromkeys(("roc_auc", "roc_auc_macro", "roc_auc_micro"), 0.5)
    reached |= dict.fromkeys(("average_precision_macro", "average_precision_micro"), 1 / len(names))
    reached["log_loss"] = float(-present @ np.log(present))
    reached[TOP_K_KEY] = float(np.sort(frequency)[-TOP_K:].sum())
    if len(names) == 2:
        reached |= {"average_precision": float(frequency[1]), "brier": float(frequency[0] * frequency[1])}
    known = {
        name: reached[name]
        for name, value in values.items()
        if not isinstance(value, Undefined) and not np.isnan(reached.get(name, np.nan))
    }
    return {"description": f"always {names[majority]!r}, the most frequent class", **known}


def _per_class(
    counts: ClassCounts, single: list[Areas], names: list[str]
) -> list[dict[str, str | int | float | None]]:
    columns = zip(
        names, counts.precision, counts.recall, counts.f1, counts.support.tolist(), single, strict=True
    )
    return [
        {
            "name": name,
            "precision": none_if_nan(precision),
            "recall": none_if_nan(recall),
            "f1": none_if_nan(f1),
            "support": support,
            "roc_auc": None if isinstance(auc, Undefined) else auc,
            "average_precision": None if isinstance(average, Undefined) else average,
        }
        for name, precision, recall, f1, support, (auc, average) in columns
    ]


def _listed(classes: Integers, names: list[str], one: str, many: str) -> str:
    """The first three of some classes by name, quoted, control characters escaped, and the verb that fits."""
    shown = ", ".join(repr(names[label]) for label in classes[:3])
    if len(classes) == 1:
        return f"class {shown} {one}"
    rest = f" and {len(classes) - 3} more" if len(classes) > 3 else ""
    return f"classes {shown}{rest} {many}"


def _mean_of_others(mean: float | Floats) -> str:
    return "" if np.isnan(mean) else f"; the mean over the other classes is {float(mean):.4f}"
