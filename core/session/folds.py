"""Cross-validation: a run for each fold of the data, and the spread of their validation metrics."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.config.schema import TrainConfig
from core.errors import ConfigError, RunError
from core.runs.folder import Run, all_runs
from core.runs.summary import RunSummary

__all__ = ["Spread", "fold_config", "fold_metrics", "runs_of_folds", "spread"]


@dataclass(frozen=True)
class Spread:
    """A metric over folds.

    Attributes:
        values: one per fold; None where it is undefined.
        mean, deviation: of the defined values; the sample standard deviation. None if there are too few.
    """

    values: tuple[float | None, ...]
    mean: float | None
    deviation: float | None


def fold_config(config: TrainConfig, fold: int, folds: int) -> TrainConfig:
    """Return the configuration of the run that holds out one fold."""
    data = config.data.model_copy(update={"folds": folds, "fold": fold})
    return config.model_copy(update={"data": data})


def runs_of_folds(config: TrainConfig, folds: int, runs_dir: Path) -> dict[int, Run]:
    """Return the newest run of each fold among those that differ from a configuration only by the fold."""
    found: dict[int, Run] = {}
    for run in all_runs(runs_dir):
        try:
            other = run.config()
        except (ConfigError, RunError):  # damaged, or written by a script
            continue
        if other.data.folds == folds and fold_config(other, 1, folds) == fold_config(config, 1, folds):
            found.setdefault(other.data.fold, run)
    return found


def fold_metrics(summary: RunSummary) -> dict[str, float | None]:
    """Return the validation metrics of a complete run: the loss of the best epoch, and those of its evaluation."""
    return {"loss": summary.metrics.get("loss"), **summary.evaluation.get("validation", {})}


def spread(folds: Sequence[Mapping[str, float | None]]) -> dict[str, Spread]:
    """Return the spread of each metric over the folds."""
    names = dict.fromkeys(name for fold in folds for name in fold)
    return {name: _spread([fold.get(name) for fold in folds]) for name in names}


def _spread(values: Sequence[float | None]) -> Spread:
    known = [value for value in values if value is not None]
    mean = statistics.fmean(known) if known else None
    return Spread(tuple(values), mean, statistics.stdev(known) if len(known) > 1 else None)
