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
    """Write the position of each sample in its source, ``index``, and the columns of its task, empty for NaN.

    Of classes these are ``target,predicted,score_...``; of numbers ``target,predicted``; see `Task.columns`.

    Raises:
        InputError: the file cannot be written, or the network gives no predictions: it reports numbers of its own.
    """
    if task_of(evaluation.report.task).own_step:
        raise InputError(
            f"{evaluation.run.id} has no predictions: its network reports numbers of its own for a whole split"
        )
    predictions, report = evaluation.predictions, evaluation.report
    names = report.class_names or [str(row["name"]) for row in report.per_target]
    columns = [("index", predictions.indices), *task_of(report.task).columns(predictions, names)]
    with writing(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([name for name, _ in columns])
        for rows in _blocks(len(predictions)):
            writer.writerows(zip(*(_cells(values[rows]) for _, values in columns), strict=True))


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


def _cells(values: Array) -> list[Any]:
    if values.dtype.kind != "f":
        return list(values.tolist())
    return ["" if digits == "nan" else digits for digits in _digits(values)]


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
