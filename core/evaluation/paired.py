"""Differences between two models on the same samples, compared sample by sample.

Accuracy: the exact test of McNemar, "Note on the sampling error of the difference between correlated proportions"
(1947), and the exact interval that belongs to it. All other metrics: the standard error of the mean difference of their
influences (for ROC AUC, that of DeLong, DeLong and Clarke-Pearson 1988), with Student's distribution, whose degrees of
freedom count only samples on which the two differ.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from core.evaluation import influence
from core.evaluation.checks import why_not_probabilities
from core.evaluation.classification import ClassCounts, averages, confusion_matrix, log_losses
from core.evaluation.intervals.proportions import proportion_intervals
from core.evaluation.multilabel.influences import label_influences
from core.evaluation.predictions import Predictions
from core.evaluation.regression import residuals
from core.evaluation.segmentation.influence import image_influences
from core.evaluation.values import Floats, Integers, ratio
from core.metrics import SAME_AS_ACCURACY

__all__ = ["MAX_CELLS", "Difference", "paired_differences", "same_samples"]

MAX_CELLS = 20_000_000
"""Scores of a model up to which it is compared sample by sample."""
STEP = 1e-4
"""Weight added to a cell of a confusion matrix to see its influence, in samples."""
BLOCK = 4_000_000
LEVEL = 0.05


@dataclass(frozen=True)
class Difference:
    """A metric of one model minus that of another.

    Attributes:
        value: the difference, in the unit of the metric.
        interval: 95 % interval, corrected for the number of comparisons.
        p: probability of a difference at least this large between models that are equally good, times the number of
            comparisons (Bonferroni), at most 1.
    """

    value: float
    interval: tuple[float, float]
    p: float

    @property
    def is_clear(self) -> bool:
        """Return whether it is larger than chance alone would make it in 95 of 100 comparisons."""
        return self.p < LEVEL


def same_samples(first: Predictions, second: Predictions) -> bool:
    """Return whether two models were evaluated on the same samples, in the same order."""
    return (
        first.scores.shape == second.scores.shape
        and np.array_equal(first.indices, second.indices)
        and np.array_equal(first.targets, second.targets)
        and (first.weights is None) == (second.weights is None)
        and (first.weights is None or second.weights is None or np.array_equal(first.weights, second.weights))
    )


def paired_differences(
    first: Predictions, second: Predictions, values: Mapping[str, float], comparisons: int = 1
) -> dict[str, Difference]:
    """Return the differences, first minus second, of some metrics.

    Args:
        first, second: of the same samples; see `same_samples`.
        values: differences of metrics by name; those without influences are left out, as are all where samples have
            weights.
        comparisons: how many pairs of models are compared at once.
    """
    if first.weights is not None:
        return {}
    mine, theirs = _influences(first), _influences(second)
    known = [name for name in values if name in mine and name in theirs]
    found = {
        name: _from_influences(values[name], mine[name] - theirs[name], _freedom(first, name), comparisons)
        for name in known
    }
    if first.has_labels:
        right, others = ((each.predicted == each.targets).all(axis=1) for each in (first, second))
        if "subset_accuracy" in values:
            found["subset_accuracy"] = _of_accuracy(right, others, comparisons)
    elif not first.has_numbers:
        exact = _of_accuracy(
            first.predicted == first.targets, second.predicted == second.targets, comparisons
        )
        names = ("accuracy", *SAME_AS_ACCURACY)
        found |= {name: exact for name in names if name in values}
    return found


def _of_accuracy(mine: Integers, theirs: Integers, comparisons: int) -> Difference:
    """The difference of the shares of right predictions (n,), from the samples that only one model gets right."""
    from scipy import stats

    n = len(mine)
    better, worse = int(np.count_nonzero(mine & ~theirs)), int(np.count_nonzero(theirs & ~mine))
    differing = better + worse
    if not differing:
        return Difference(0.0, (0.0, 0.0), 1.0)
    p = float(stats.binomtest(better, differing).pvalue)
    low, high = proportion_intervals(np.array(better), np.array(differing), LEVEL / comparisons)
    ends = [(2 * float(end) - 1) * differing / n for end in (low, high)]
    return Difference((better - worse) / n, (ends[0], ends[1]), min(1.0, p * comparisons))


def _from_influences(value: float, influences: Floats, freedom: int, comparisons: int) -> Difference:
    from scipy import special

    n, differing = len(influences), int(np.count_nonzero(influences))
    if not differing:
        return Difference(value, (value, value), 1.0)
    freedom = max(1, min(freedom, differing - 1))
    error = float(np.sqrt(np.square(influences).sum())) / n
    p = 2 * float(special.stdtr(freedom, -abs(value) / error))
    width = float(special.stdtrit(freedom, 1 - LEVEL / 2 / comparisons)) * error
    return Difference(value, (value - width, value + width), min(1.0, p * comparisons))


def _freedom(predictions: Predictions, metric: str) -> int:
    """Degrees of freedom: of areas, those of the rarest class."""
    if metric.startswith(("roc_auc", "average_precision")):
        if predictions.has_labels:
            return max(1, int(predictions.targets.sum(axis=0, dtype=np.int64).min()) - 1)
        counts = np.bincount(predictions.targets)
        return int(counts[counts > 0].min()) - 1
    return len(predictions) - 1


@lru_cache(maxsize=16)
def _influences(predictions: Predictions) -> dict[str, Floats]:
    """The influences (n,) of each sample on every metric that has them."""
    if predictions.has_labels:
        return label_influences(predictions)
    if predictions.has_masks:
        return image_influences(predictions)
    if predictions.has_numbers:
        single = [_of_numbers(predictions.of_target(place)) for place in range(predictions.target_count)]
        return {name: np.mean([each[name] for each in single], axis=0) for name in single[0]}
    scores, targets, weights = predictions.scores, predictions.targets, np.ones(len(predictions))
    classes = scores.shape[1]
    found = _of_counts(predictions)
    per_class = [
        influence.area_influence(scores[:, label], targets == label, weights)
        for label in range(classes)
        if 0 < np.count_nonzero(targets == label) < len(targets)
    ]
    if len(per_class) == classes:
        for position, name in enumerate(("roc_auc", "average_precision")):
            found[f"{name}_macro"] = np.mean([pair[position] for pair in per_class], axis=0)
            if classes == 2:
                found[name] = per_class[1][position]
    pooled = influence.pooled_area_influence(scores, targets, weights)
    found["roc_auc_micro"], found["average_precision_micro"] = pooled
    if why_not_probabilities(predictions) is None:
        found["log_loss"] = influence.centred(log_losses(scores, predictions.truth), weights)
        if classes == 2:
            found["brier"] = influence.centred(
                (scores[:, 1] - (targets == 1)).astype(np.float64) ** 2, weights
            )
    return found


def _of_numbers(predictions: Predictions) -> dict[str, Floats]:
    residual, weights = residuals(predictions), np.ones(len(predictions))
    squared = residual**2
    deviation = float(np.var(predictions.targets.astype(np.float64)))
    centre = influence.centred(squared, weights)
    root = float(np.sqrt(squared.mean()))
    return {
        "mae": influence.centred(np.abs(residual), weights),
        "rmse": ratio(centre, np.array(2 * root)),
        "r2": -ratio(centre, np.array(deviation)),
    }


def _of_counts(predictions: Predictions) -> dict[str, Floats]:
    """The influences on the metrics of the confusion matrix: those of the cell that a sample is in.

    The influence of a cell is how much the metrics change with its weight.
    """
    classes, n = predictions.scores.shape[1], len(predictions)
    matrix = confusion_matrix(predictions.predicted, predictions.targets, classes)
    place = predictions.targets * classes + predictions.predicted
    cells, which = np.unique(place, return_inverse=True)
    true, predicted = np.divmod(cells, classes)
    base = averages(ClassCounts.of(matrix))
    parts: list[dict[str, Floats]] = []
    size = max(1, BLOCK // classes)
    for start in range(0, len(cells), size):
        parts.append(
            _moved(ClassCounts.of(matrix), true[start : start + size], predicted[start : start + size])
        )
    moved = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return {
        name: (n * (moved[name] - float(value)) / STEP)[which]
        for name, value in base.items()
        if np.isfinite(moved[name]).all() and np.isfinite(value)
    }


def _moved(counts: ClassCounts, true: Integers, predicted: Integers) -> dict[str, Floats]:
    """The metrics (cells,) when one cell after another has a little more weight."""
    rows = np.arange(len(true))
    more = [np.repeat(part[None, :].astype(np.float64), len(true), axis=0) for part in _parts(counts)]
    hits, support, given = more
    hits[rows, true] += STEP * (true == predicted)
    support[rows, true] += STEP
    given[rows, predicted] += STEP
    return averages(ClassCounts(hits, support, given))


def _parts(counts: ClassCounts) -> Iterable[Integers]:
    return counts.hits, counts.support, counts.predicted
