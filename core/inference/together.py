"""Several models as one: their scores for the same samples, averaged."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.errors import DataError
from core.evaluation.paired import same_samples
from core.evaluation.predictions import Predictions
from core.evaluation.report import Report
from core.evaluation.values import Array

__all__ = ["averaged", "ensure_alike", "mean_scores", "mean_thresholds", "uncounted_thresholds"]

SEPARATE = "Evaluate them one by one, or choose runs of one data set and one split"


def ensure_alike(parts: Sequence[tuple[Predictions, Report]]) -> None:
    """Make sure that several models answer the same question about the same samples.

    Args:
        parts: of each model its predictions, and its report.

    Raises:
        DataError: samples, classes or kinds of scores differ, or a network gave no predictions.
    """
    first, report = parts[0]
    for predictions, other in parts[1:]:
        if (other.task, other.class_names) != (report.task, report.class_names):
            raise DataError("the runs do not answer the same question: task or classes differ", SEPARATE)
        if not same_samples(predictions, first):
            raise DataError(
                f"the runs were not evaluated on the same {report.split} samples",
                "Choose another split: folds have the test samples alone in common",
            )
    if not len(first):
        raise DataError("these runs have no predictions: their networks report numbers of their own")


def averaged(parts: Sequence[Predictions]) -> Predictions:
    """Return the predictions of several models together, which predict the same samples; see `ensure_alike`.

    Raises:
        DataError: their scores have no common unit.
    """
    scores = mean_scores(
        [each.scores for each in parts], probabilities=[each.probabilities for each in parts]
    )
    return replace(parts[0], scores=scores, thresholds=mean_thresholds([each.thresholds for each in parts]))


def mean_thresholds(thresholds: Sequence[Array | None]) -> Array | None:
    """Return the mean of the thresholds of several models; None where one has none."""
    known = [each for each in thresholds if each is not None]
    return np.mean(known, axis=0) if len(known) == len(thresholds) else None


def uncounted_thresholds(chosen: Sequence[object | None]) -> str:
    """Return a line on thresholds that some of several models have and all together have not; empty without any.

    Args:
        chosen: for each model what was chosen for it, None for nothing.
    """
    known = sum(each is not None for each in chosen)
    if not 0 < known < len(chosen):
        return ""
    return (
        f"the threshold of {known} of {len(chosen)} runs does not count, the usual one decides; choose one for the run "
        "that stands for all of them, or for each"
    )


def mean_scores(scores: Sequence[Array], *, probabilities: Sequence[bool]) -> Array:
    """Return the mean of the scores of several models, each (n, classes) or (n,), in float64.

    Args:
        probabilities: of each model whether its scores are probabilities.

    Raises:
        DataError: some are probabilities and others margins, which have no common unit.
    """
    if len(set(probabilities)) > 1:
        raise DataError(
            "some of the runs give probabilities and others margins, as their losses differ", SEPARATE
        )
    total = np.zeros(scores[0].shape)
    for each in scores:
        total += each
    return total / len(scores)
