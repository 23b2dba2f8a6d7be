"""Predictions as CSV: one line a sample, the predicted class or number, and the score of each class."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import numpy as np

from core.errors import InputError
from core.evaluation.classification import predicted_classes
from core.evaluation.predictions import Predictions
from core.evaluation.segmentation.report import image_metrics
from core.evaluation.values import Array
from core.tasks.registry import task_of

if TYPE_CHECKING:
    from core.inference.stored import Evaluation

__all__ = [
    "NewPredictions",
    "print_new_predictions",
    "table_of",
    "write_new_predictions",
    "write_predictions",
    "writing",
]

ROWS_AT_ONCE = 4096


def write_predictions(evaluation: "Evaluation", path: Path) -> None:
    """Write ``index,target,predicted,score_...``: position in the source, names of classes or numbers.

    Of several numbers a sample, ``index,target_NAME,predicted_NAME,...``.
    Of several labels a sample there is a ``target_...`` and a ``predicted_...`` for each, of zeros and ones.
    Of masks ``index,pixel_accuracy,mean_iou``
    and ``iou_CLASS`` of each image, empty where a class does not occur.

    Raises:
        InputError: the file cannot be written, or the network gives no predictions: it reports numbers of its own.
    """
    if task_of(evaluation.report.task).own_step:
        raise InputError(
            f"{evaluation.run.id} has no predictions: its network reports numbers of its own for a whole split"
        )
    predictions, names = evaluation.predictions, evaluation.report.class_names
    targets = [str(row["name"]) for row in evaluation.report.per_target]
    if predictions.has_labels:
        _write_labels(predictions, names, path)
        return
    with writing(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        if predictions.has_masks:
            writer.writerow(["index", "pixel_accuracy", "mean_iou", *(f"iou_{name}" for name in names)])
            found = image_metrics(predictions, len(names))
            columns = [found["pixel_accuracy"], found["mean_iou"], *found["iou"].T]
            writer.writerows(zip(predictions.indices.tolist(), *map(_known_digits, columns), strict=True))
            return
        if targets:
            writer.writerow(
                ["index", *(f"{what}_{name}" for name in targets for what in ("target", "predicted"))]
            )
            for rows in _blocks(len(predictions)):
                pairs = zip(predictions.targets[rows].T, predictions.scores[rows].T, strict=True)
                columns = [_digits(column) for pair in pairs for column in pair]
                writer.writerows(zip(predictions.indices[rows].tolist(), *columns, strict=True))
            return
        writer.writerow(["index", "target", "predicted", *_score_names(names)])
        for rows in _blocks(len(predictions)):
            facts = zip(
                predictions.indices[rows].tolist(),
                _answers(predictions.targets[rows], names),
                *_columns(predictions.scores[rows], names, predictions.thresholds),
                strict=True,
            )
            writer.writerows(facts)


@dataclass(frozen=True, eq=False)
class NewPredictions:
    """Answers to new samples.

    Attributes:
        ids: a name for each.
        scores: (n, classes), (n,), or outputs of any shape (n, ...).
        names: of the classes; empty for numbers.
        targets: names of several numbers; empty for a single one.
        thresholds: of several labels a sample, the scores from which on each is given; of two classes (1,): that of
            the positive one.
        kept: columns of the file that name its rows.
        notes: what was done to the samples; a line each.
    """

    ids: Sequence[str]
    scores: Array
    names: Sequence[str] = ()
    targets: Sequence[str] = ()
    thresholds: Array | None = None
    kept: Mapping[str, Sequence[str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def cleaned(self, clean: Callable[[str], str]) -> "NewPredictions":
        """Return them with the names as `clean` writes them, such as for a terminal."""
        ids, names, targets = ([*map(clean, part)] for part in (self.ids, self.names, self.targets))
        kept = {clean(name): [*map(clean, values)] for name, values in self.kept.items()}
        return replace(self, ids=ids, names=names, targets=targets, kept=kept)


def write_new_predictions(new: NewPredictions, path: Path) -> None:
    """Write to a file what `table_of` returns.

    Raises:
        InputError: the file cannot be written.
    """
    with writing(path) as file:
        print_new_predictions(new, file)


def print_new_predictions(new: NewPredictions, file: TextIO) -> None:
    """Write to an open file what `table_of` returns."""
    csv.writer(file, lineterminator="\n").writerows(table_of(new))


def table_of(new: NewPredictions) -> Iterator[Sequence[Any]]:
    """Yield a head and a line for each sample: ``id,class,score_...``, or ``id,prediction`` for numbers.

    Of several labels a sample there is a ``predicted_...`` for each, 0 or 1; of several numbers a column for each, and
    of outputs (n, ...) without classes, too: ``id,output_0...``. Columns that name the rows follow the id.
    """
    scores, names, thresholds = new.scores, new.names, new.thresholds
    labels = thresholds is not None and len(thresholds) == len(names)
    if labels:
        head = [*(f"predicted_{name}" for name in names), *_score_names(names)]
    elif not names and scores.ndim > 1:
        scores = scores.reshape(len(scores), -1)
        head = [*(new.targets or (f"output_{place}" for place in range(scores.shape[1])))]
    else:
        head = ["class" if names else "prediction", *_score_names(names)]
    yield ["id", *new.kept, *head]
    for rows in _blocks(len(new.ids)):
        columns: Iterable[Sequence[Any]]
        if labels:
            given = (scores[rows] >= thresholds).astype(np.int64)
            columns = (*(column.tolist() for column in given.T), *map(_digits, scores[rows].T))
        else:
            columns = _columns(scores[rows], names, thresholds)
        kept = (values[rows] for values in new.kept.values())
        yield from zip(new.ids[rows], *kept, *columns, strict=True)


def _write_labels(predictions: Predictions, names: Sequence[str], path: Path) -> None:
    with writing(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(
            ["index", *(f"{what}_{name}" for what in ("target", "predicted", "score") for name in names)]
        )
        for rows in _blocks(len(predictions)):
            facts = (predictions.targets[rows].T, predictions.predicted[rows].T)
            columns = [column.tolist() for part in facts for column in part]
            scores = map(_digits, predictions.scores[rows].T)
            writer.writerows(zip(predictions.indices[rows].tolist(), *columns, *scores, strict=True))


def _columns(scores: Array, names: Sequence[str], thresholds: Array | None) -> Iterator[Sequence[Any]]:
    """The answer to each sample, then the scores of each class."""
    if not names:
        yield from map(_digits, scores.T if scores.ndim > 1 else [scores])
        return
    yield _answers(predicted_classes(scores, thresholds), names)
    for column in scores.T:
        yield _digits(column)


def _answers(values: Array, names: Sequence[str]) -> Sequence[Any]:
    return [names[number] for number in values.tolist()] if names else _digits(values)


def _digits(values: Array) -> list[str]:
    """Numbers with as many digits as it takes to read the same number again."""
    return (
        [f"{value:.9g}" for value in values.tolist()]
        if values.dtype == np.float32
        else list(map(repr, values.tolist()))
    )


def _known_digits(values: Array) -> list[str]:
    return [repr(value) if np.isfinite(value) else "" for value in values.tolist()]


def _score_names(names: Sequence[str]) -> list[str]:
    return [f"score_{name}" for name in names]


def _blocks(n: int) -> Iterator[slice]:
    return (slice(start, start + ROWS_AT_ONCE) for start in range(0, n, ROWS_AT_ONCE))


@contextmanager
def writing(path: Path) -> Iterator[TextIO]:
    """Context manager that opens a new text file.

    Raises:
        InputError: it cannot be written.
    """
    try:
        with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            yield file
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}", "Give another path") from None
