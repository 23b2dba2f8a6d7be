"""Runs as a table of plain values, with all digits."""

from collections.abc import Iterable, Sequence
from typing import Any

from core.runs.summary import RunSummary

__all__ = ["table_of_runs"]

SETTINGS = {
    "loss": ("loss", "name"),
    "optimizer": ("optimizer", "name"),
    "lr": ("optimizer", "lr"),
    "schedule": ("schedule", "name"),
    "batch_size": ("training", "batch_size"),
    "seed": ("training", "seed"),
}


def table_of_runs(runs: Sequence[RunSummary]) -> tuple[list[str], list[list[str]]]:
    """Return a head and a row for each run: what it trains, the metrics of its best epoch, those of each split.

    Test numbers that nobody has opened are missing.
    """
    metrics = _names(run.metrics for run in runs)
    splits = _names(run.shown_evaluation for run in runs)
    evaluated = [
        (split, name)
        for split in splits
        for name in _names(run.shown_evaluation.get(split, {}) for run in runs)
        if split != "validation" or name not in metrics
    ]
    head = ["id", "name", "status", "data", "model", *SETTINGS, "epoch", "epochs", "best_epoch"]
    head += [*(f"validation.{name}" for name in metrics), *(f"{split}.{name}" for split, name in evaluated)]
    return head, [
        [
            run.run.id,
            run.labels.name,
            run.status,
            run.data,
            run.model,
            *(_text(run.config.get(section, {}).get(field)) for section, field in SETTINGS.values()),
            *map(str, (run.epoch, run.epochs, run.best_epoch)),
            *(_text(run.metrics.get(name)) for name in metrics),
            *(_text(run.shown_evaluation.get(split, {}).get(name)) for split, name in evaluated),
        ]
        for run in runs
    ]


def _names(parts: Iterable[Iterable[str]]) -> list[str]:
    return list(dict.fromkeys(name for part in parts for name in part))


def _text(value: Any) -> str:
    return "" if value is None else str(value)
