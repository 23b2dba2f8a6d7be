"""The report of masks."""

from collections.abc import Sequence

import numpy as np

from core.arrays import IGNORED
from core.errors import DataError
from core.evaluation.predictions import Predictions
from core.evaluation.report import Report
from core.evaluation.segmentation.counts import answered, image_counts, per_class, totals
from core.evaluation.segmentation.intervals import MIN_IMAGES, image_intervals
from core.evaluation.values import Array, none_if_nan

__all__ = ["check_masks", "image_metrics", "image_scores", "mask_report", "mask_values", "worst_images"]

FEW = f"fewer than {MIN_IMAGES} images are too few for an interval"


def mask_report(
    predictions: Predictions, *, task: str, class_names: Sequence[str], split: str, seed: int, intervals: bool
) -> Report:
    """Evaluate masks (n, height, width); see ``core.tasks.evaluation.evaluate``."""
    names, classes = list(class_names), len(class_names)
    counts = image_counts(predictions.scores, predictions.targets, classes)
    summed = _weighted(totals(counts), predictions)
    everything = summed.sum(axis=0)
    values = {name: float(value) for name, value in answered(everything).items()}
    single = per_class(everything)
    support = totals(counts).sum(axis=0)[1]
    found: dict[str, list[float]] = {}
    of_classes: list[dict[str, list[float]]] = []
    if intervals and len(predictions) >= MIN_IMAGES:
        found, of_classes = image_intervals(summed, np.random.default_rng(seed))
    undefined = {name: "every pixel is left out" for name, value in values.items() if not np.isfinite(value)}
    return Report(
        task=task,
        split=split,
        n=len(predictions),
        class_names=names,
        metrics={name: none_if_nan(value) for name, value in values.items()},
        undefined=undefined,
        intervals=found,
        no_interval=dict.fromkeys(values, FEW) if intervals and not found else {},
        class_intervals=of_classes,
        baseline=_baseline(everything, names),
        per_class=[
            {
                "name": name,
                **{key: none_if_nan(float(column[at])) for key, column in single.items()},
                "support": int(support[at]),
            }
            for at, name in enumerate(names)
        ],
        confusion=counts.sum(axis=0).tolist(),
    )


def mask_values(predictions: Predictions, wanted: Sequence[str], classes: int) -> dict[str, float]:
    """Return some metrics over all classes, NaN where one is undefined."""
    counts = image_counts(predictions.scores, predictions.targets, classes)
    found = answered(_weighted(totals(counts), predictions).sum(axis=0))
    return {name: float(found[name]) for name in wanted}


def image_metrics(predictions: Predictions, classes: int) -> dict[str, Array]:
    """Return metrics of each image: ``pixel_accuracy`` and ``mean_iou`` (n,), and ``iou`` (n, classes)."""
    summed = totals(image_counts(predictions.scores, predictions.targets, classes))
    return {**answered(summed), "iou": per_class(summed)["iou"]}


def image_scores(predictions: Predictions, classes: int) -> Array:
    """Return the mean IoU (n,) of each image, over the classes that occur in it; NaN where all pixels are left out."""
    return image_metrics(predictions, classes)["mean_iou"]


def worst_images(predictions: Predictions, limit: int) -> Array:
    """Return the positions of the images that are not right in every pixel, the lowest mean IoU first."""
    classes = 1 + max(int(predictions.scores.max(initial=0)), _largest(predictions.targets))
    scores = image_scores(predictions, classes)
    order = np.argsort(scores, kind="stable")
    return order[scores[order] < 1][:limit]


def check_masks(predictions: Predictions, task: str, classes: int, split: str) -> None:
    """Refuse masks that cannot be evaluated.

    Raises:
        DataError: there are no images, they are no masks, or hold classes that are not there.
    """
    if not predictions.has_masks:
        raise DataError(f"scores of shape {predictions.scores.shape} do not fit a {task} task")
    if not len(predictions):
        raise DataError(f"the {split} split has no samples to evaluate", "Give it a share of the data")
    highest = max(int(predictions.scores.max()), _largest(predictions.targets))
    if highest >= classes:
        raise DataError(f"masks hold the class {highest}, but the classes are 0 to {classes - 1}")


def _largest(targets: Array) -> int:
    """The largest class in masks."""
    return int(targets.max(initial=0, where=targets != IGNORED))


def _weighted(summed: Array, predictions: Predictions) -> Array:
    """Return (n, 3, classes) times the weights of the images."""
    return summed if predictions.weights is None else summed * predictions.weights[:, None, None]


def _baseline(summed: Array, names: Sequence[str]) -> dict[str, float | str]:
    """Return the metrics of giving every pixel the most frequent class."""
    true = summed[1]
    majority = int(true.argmax())
    one = np.eye(len(true))[majority]
    reached = answered(np.stack([one * true[majority], true, one * true.sum()]))
    known = {name: float(value) for name, value in reached.items() if np.isfinite(value)}
    return {"description": f"every pixel {names[majority]!r}, the most frequent class", **known}
