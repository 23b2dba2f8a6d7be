"""Numbers for spreadsheets and data frames: the epochs, the final metrics, the predictions."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from core.data.dataset import Progress
from core.errors import RunDamaged
from core.events import EpochFinished
from core.export.options import ExportOptions
from core.inference.prediction_files import write_predictions
from core.inference.stored import saved_evaluation
from core.remedies import show_run
from core.runs.folder import SPLITS, Run
from core.runs.log import all_events

__all__ = ["CsvTables"]


class CsvTables(ExportOptions):
    """``epochs.csv``, and for each evaluated split ``metrics_SPLIT.csv`` and ``predictions_SPLIT.csv``."""

    name: Literal["csv"] = "csv"

    def write(
        self, run: Run, folder: Path, data_root: Path | None, progress: Progress, notes: list[str]
    ) -> None:
        epochs = _epochs(run)
        if not epochs:
            raise RunDamaged(f"{run.id} has no epoch to export", (show_run(run.id),))
        metrics = list(dict.fromkeys(name for event in epochs for name in (*event.train, *event.validation)))
        head = [
            "epoch",
            "step",
            *(f"{split}_{name}" for split in ("train", "validation") for name in metrics),
        ]
        rows = (
            [
                event.epoch,
                event.step,
                *map(event.train.get, metrics),
                *map(event.validation.get, metrics),
                event.lr,
                event.seconds,
            ]
            for event in epochs
        )
        _write(folder / "epochs.csv", [*head, "lr", "seconds"], rows)
        for split in SPLITS:
            evaluation = saved_evaluation(run, split)
            if evaluation is None:
                continue
            report = evaluation.report
            values = (
                [name, value, *report.intervals.get(name, [None, None])]
                for name, value in report.metrics.items()
            )
            _write(folder / f"metrics_{split}.csv", ["metric", "value", "low_95", "high_95"], values)
            if len(evaluation.predictions):  # a network with its own training step has none
                write_predictions(evaluation, folder / f"predictions_{split}.csv")


def _epochs(run: Run) -> list[EpochFinished]:
    """The last record of each epoch: a resumed run may have repeated some."""
    found = {event.epoch: event for event in all_events(run.log_file) if isinstance(event, EpochFinished)}
    return [found[epoch] for epoch in sorted(found)]


def _write(path: Path, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)
