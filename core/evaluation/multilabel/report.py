"""The report of predictions of several labels a sample."""

from collections.abc import Sequence

import numpy as np

from core.evaluation.classification import ClassCounts
from core.evaluation.curves import Areas
from core.evaluation.intervals.classification import Intervals
from core.evaluation.multilabel.intervals import multilabel_intervals
from core.evaluation.multilabel.pairs import together
from core.evaluation.multilabel.values import (
    AREAS,
    Truths,
    areas_of_labels,
    averages,
    label_area_values,
    label_count_values,
    label_counts,
    number_or_nan,
    sample_values,
)
from core.evaluation.predictions import Predictions
from core.evaluation.report import Report
from core.evaluation.values import Array, Floats, Undefined, Value, none_if_nan
from core.evaluation.weighted import effective_size, mean_of, pooled_chance

__all__ = ["multilabel_report"]

WITH_WEIGHTS = "the samples have weights, for which there are none of several labels"


def multilabel_report(
    predictions: Predictions, *, class_names: Sequence[str], split: str, seed: int, intervals: bool
) -> Report:
    """Evaluate checked predictions (n, labels); see ``core.evaluation.evaluate``.

    The confusion matrix of the report counts in row i and column j the samples with label i that label j is
    predicted for; on its diagonal are the hits.
    """
    names = list(class_names)
    targets, predicted = predictions.targets.astype(bool), predictions.predicted.astype(bool)
    weights = predictions.weights
    counts = label_counts(predicted, targets, weights)
    single, pooled = areas_of_labels(predictions.scores, targets, weights)
    values = {name: mean_of(each, weights) for name, each in sample_values(predicted, targets).items()}
    all_values: dict[str, Value] = {**values, **label_count_values(counts, names, split)}
    all_values |= label_area_values(single, pooled, np.asarray(counts.support), names, split)
    defined = {name: value for name, value in all_values.items() if not isinstance(value, Undefined)}
    found = Intervals()
    if intervals and weights is not None:
        found = Intervals(missing=dict.fromkeys(defined, WITH_WEIGHTS))
    elif intervals:
        found = multilabel_intervals(defined, predictions, counts, single, np.random.default_rng(seed))
    return Report(
        task="multilabel",
        split=split,
        n=len(predictions),
        class_names=names,
        metrics={name: defined.get(name) for name in all_values},
        undefined={name: value.reason for name, value in all_values.items() if isinstance(value, Undefined)},
        intervals=found.found,
        no_interval=found.missing,
        class_intervals=found.classes,
        baseline=_baseline(targets, all_values, weights),
        per_class=_per_label(
            counts, label_counts(predicted, targets), single, names, len(targets), predictions.used_thresholds
        ),
        confusion=together(targets, predicted).tolist(),
        effective_n=None if weights is None else effective_size(weights),
    )


def _baseline(targets: Truths, values: dict[str, Value], weights: Floats | None) -> dict[str, float | str]:
    """Return the metrics of always predicting for each label what holds for most samples."""
    share = np.average(targets, axis=0, weights=weights)
    predicted = np.broadcast_to(share > 0.5, targets.shape)
    counts = label_counts(predicted, targets, weights)
    reached = {name: float(value) for name, value in averages(counts).items()}
    reached |= {name: mean_of(each, weights) for name, each in sample_values(predicted, targets).items()}
    reached |= {f"roc_auc_{mean}": 0.5 for mean in ("macro", "weighted")}
    reached["average_precision_macro"] = float(share.mean())
    reached["roc_auc_micro"], reached["average_precision_micro"] = pooled_chance(share, 1.0)
    if share.sum():
        reached["average_precision_weighted"] = float(share @ share / share.sum())
    # labels that are never predicted have no precision, so a mean over the others says nothing
    for name in ("precision_macro", "precision_weighted"):
        if not (share > 0.5).all():
            del reached[name]
    known = {
        name: reached[name]
        for name, value in values.items()
        if not isinstance(value, Undefined) and not np.isnan(reached.get(name, np.nan))
    }
    frequent = int((share > 0.5).sum())
    what = "no label" if not frequent else f"{frequent} label{'s' if frequent > 1 else ''} of {len(share)}"
    return {"description": f"always {what}, the frequent value of each", **known}


def _per_label(
    counts: ClassCounts,
    samples: ClassCounts,
    single: Sequence[Areas],
    names: Sequence[str],
    n: int,
    thresholds: Array,
) -> list[dict[str, str | int | float | None]]:
    """Return a row for each label: rates of `counts`, which may be weighted, and numbers of `samples`."""
    rows: list[dict[str, str | int | float | None]] = []
    for label, name in enumerate(names):
        tp, support, given = (int(part[label]) for part in (samples.hits, samples.support, samples.predicted))
        rows.append(
            {
                "name": name,
                "precision": none_if_nan(counts.precision[label]),
                "recall": none_if_nan(counts.recall[label]),
                "f1": none_if_nan(counts.f1[label]),
                "support": support,
                **{
                    metric: none_if_nan(number_or_nan(area))
                    for metric, area in zip(AREAS, single[label], strict=True)
                },
                "threshold": float(thresholds[label]),
                "tp": tp,
                "fp": given - tp,
                "fn": support - tp,
                "tn": n - given - support + tp,
            }
        )
    return rows
