"""Counts of each class in validation after each epoch: how they are logged, and how they are read from a log."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.evaluation.classification import ClassCounts
from core.evaluation.values import Integers
from core.events import EpochFinished, Event, RunStarted
from core.runs.folder import Run
from core.runs.log import LogReader
from core.tasks.base import Counted

__all__ = ["ClassHistory", "class_history", "counts_to_log"]

MAX_MATRIX = 32
"""Largest number of classes for which an epoch logs its confusion matrix; larger ones would swell the log."""
KINDS = (b'"run_started"', b'"epoch_finished"')


def counts_to_log(counted: Counted) -> dict[str, Any]:
    """Return what `EpochFinished` logs of the classes, by attribute; of a large matrix the counts of each class."""
    if len(counted.confusion) <= MAX_MATRIX:
        return vars(counted)
    counts = ClassCounts.of(np.array(counted.confusion, dtype=np.int64))
    return {"class_counts": [each.tolist() for each in (counts.hits, counts.support, counts.predicted)]}


@dataclass(frozen=True, eq=False)
class ClassHistory:
    """Counts of the classes over the epochs.

    Attributes:
        epochs: (e,), ascending; empty where none logged its classes.
        counts: of validation; arrays (e, classes).
        names: of the classes.
        best_epoch: 0 where it is not among the epochs.
    """

    epochs: Integers
    counts: ClassCounts
    names: list[str]
    best_epoch: int = 0

    @property
    def best(self) -> int:
        """Place of the best epoch, or of the last one."""
        found = np.flatnonzero(self.epochs == self.best_epoch)
        return int(found[0]) if found.size else len(self.epochs) - 1


def class_history(run: Run) -> ClassHistory:
    """Read the counts of all epochs from the log of a run; epochs that were done again count once."""
    reader, names, best = _Reader(run.log_file), list[str](), 0
    found: dict[int, Integers] = {}
    before = -1
    while reader.offset > before:
        before = reader.offset
        for event in reader.read():
            if isinstance(event, RunStarted):
                names = event.classes
                found = {epoch: counts for epoch, counts in found.items() if epoch <= event.epoch}
            elif isinstance(event, EpochFinished):
                best, counts = event.best_epoch, _counts(event)
                if counts is not None:
                    found[event.epoch] = counts
    return _joined(found, names, best)


def _joined(found: dict[int, Integers], names: Sequence[str], best: int) -> ClassHistory:
    """Join the epochs that have as many classes as the last one."""
    classes = next(reversed(found.values())).shape[1] if found else 0
    kept = sorted(epoch for epoch, counts in found.items() if counts.shape[1] == classes)
    known = list(names) if len(names) == classes else [str(number) for number in range(classes)]
    stacked = np.array([found[epoch] for epoch in kept], dtype=np.int64).reshape(len(kept), 3, classes)
    counts = ClassCounts(*(stacked[:, place] for place in range(3)))
    return ClassHistory(np.array(kept, dtype=np.int64), counts, known, best)


def _counts(event: EpochFinished) -> Integers | None:
    """Return right, true and predicted samples of each class (3, classes); None without, or where they are ragged."""
    try:
        if event.confusion:
            counts = ClassCounts.of(np.array(event.confusion, dtype=np.int64))
            found = np.stack([counts.hits, counts.support, counts.predicted])
        else:
            found = np.array(event.class_counts, dtype=np.int64)
    except ValueError:
        return None
    return found if found.ndim == 2 and len(found) == 3 and found.shape[1] else None


class _Reader(LogReader):
    """Reads starts and epochs alone."""

    def _parse(self, line: bytes) -> Event | None:
        return super()._parse(line) if any(kind in line for kind in KINDS) else None
