"""Runs of one configuration that differ in one number, and the spread of their metrics."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from core.config.schema import TrainConfig
from core.errors import ConfigError, RunDamaged, RunError
from core.evaluation.intervals import Interval
from core.evaluation.predictions import Predictions, joined
from core.evaluation.report import Report
from core.metrics import MEANS_OF_SAMPLES
from core.runs.comparison.batches import batches
from core.runs.folder import Run, all_runs
from core.runs.summary import RunSummary, summarise
from core.status import is_active
from core.tasks.evaluation import evaluate

__all__ = [
    "Repeats",
    "Spread",
    "group_of",
    "left",
    "metrics_of",
    "pooled_report",
    "runs_of",
    "seeds_of",
    "spread",
]

RepeatKind = Literal["fold", "seed"]
AUTO = "auto"


@dataclass(frozen=True)
class Repeats:
    """Runs that differ in the fold that they hold out for validation, or in their seed.

    Attributes:
        kind: in which of them.
        count: the number of runs.
        first: the number of the first one; those after it count up.
    """

    kind: RepeatKind
    count: int
    first: int = 1

    @property
    def numbers(self) -> range:
        """The folds or seeds."""
        return range(self.first, self.first + self.count)

    def config(self, config: TrainConfig, number: int) -> TrainConfig:
        """Return the configuration of one run."""
        if self.kind == "seed":
            training = config.training.model_copy(update={"seed": number})
            return config.model_copy(update={"training": training})
        data = config.data.model_copy(update={"folds": self.count, "fold": number})
        return config.model_copy(update={"data": data})

    def number(self, config: TrainConfig) -> int:
        """Return the fold or seed of a configuration."""
        return config.training.seed if self.kind == "seed" else config.data.fold

    def holds(self, config: TrainConfig, other: TrainConfig) -> bool:
        """Return whether two configurations differ in the fold or the seed alone.

        What one leaves to its data, such as the network, it finds when it starts: until then nothing there differs.
        """
        if self.kind == "fold" and other.data.folds != self.count:
            return False
        one, two = self.config(config, self.first), self.config(other, self.first)
        return all(
            _fits(getattr(one, section), getattr(two, section)) for section in TrainConfig.model_fields
        )


def _fits(one: object, other: object) -> bool:
    """Return whether two sections are equal, or one of them is left to the data."""
    return one == other or any(
        section is None or getattr(section, "name", "") == AUTO for section in (one, other)
    )


def runs_of(repeats: Repeats, config: TrainConfig, runs_dir: Path, one: Run | None = None) -> dict[int, Run]:
    """Return by fold or seed the runs that differ from a configuration only in it and were started together.

    Args:
        one: a run of them; None, or one that is not of them, stands for the newest run that is.
    """
    found = _alike(repeats, config, runs_dir)
    return (_together(found, one) if one is not None else {}) or _together(found)


def _alike(repeats: Repeats, config: TrainConfig, runs_dir: Path) -> list[tuple[Run, int]]:
    """Return the runs that differ from a configuration in fold or seed only, each with that, the newest one first."""
    found = []
    for run in all_runs(runs_dir):
        try:
            other = run.config()
        except (ConfigError, RunError):  # damaged, or written by a script
            continue
        if repeats.holds(config, other):
            found.append((run, repeats.number(other)))
    return found


def _together(found: Sequence[tuple[Run, int]], one: Run | None = None) -> dict[int, Run]:
    """Return the runs by fold or seed that were started together with one of them; None stands for the newest."""
    numbers = {run.id: number for run, number in found}
    starts = reversed(batches(found))
    batch = next((batch for batch in starts if one is None or one.id in (run.id for run in batch)), [])
    return {numbers[run.id]: run for run in batch}


def seeds_of(run: Run, count: int) -> Repeats:
    """Return the repeats that a run belongs to: with the seeds below its own that were started together with it."""
    config = run.config()
    first = config.training.seed
    known = runs_of(Repeats("seed", count, first), config, run.path.parent, run)
    while first - 1 in known:
        first -= 1
    return Repeats("seed", count, first)


def left(repeats: Repeats, known: Mapping[int, Run]) -> list[int]:
    """Return the folds or seeds whose run is neither complete, nor trained now, nor waiting for that."""

    def is_left(at: int) -> bool:
        status = summarise(known[at]).status if at in known else "stopped"
        return status != "completed" and not is_active(status)

    return [at for at in repeats.numbers if is_left(at)]


def group_of(run: Run) -> list[Run]:
    """Return the runs of all folds, or else seeds, that were started together with a run, which is one of them."""
    config = run.config()
    kind: RepeatKind = "fold" if config.data.folds else "seed"
    repeats = Repeats(kind, config.data.folds or 1, 1 if config.data.folds else config.training.seed)
    together = _together(_alike(repeats, config, run.path.parent), run)
    return [found for _, found in sorted(together.items())]


@dataclass(frozen=True)
class Spread:
    """A metric over several runs.

    Attributes:
        values: one per run; None where it is undefined.
        mean, deviation: of the defined values; the sample standard deviation. None if there are too few.
    """

    values: tuple[float | None, ...]
    mean: float | None
    deviation: float | None


def metrics_of(summary: RunSummary, split: str = "validation") -> dict[str, float | None]:
    """Return the metrics of a complete run on a split; of validation also the loss of its best epoch."""
    loss = {"loss": summary.metrics.get("loss")} if split == "validation" else {}
    return {**loss, **summary.evaluation.get(split, {})}


def spread(runs: Sequence[Mapping[str, float | None]]) -> dict[str, Spread]:
    """Return the spread of each metric over some runs."""
    names = dict.fromkeys(name for run in runs for name in run)
    return {name: _spread([run.get(name) for run in runs]) for name in names}


def _spread(values: Sequence[float | None]) -> Spread:
    known = [value for value in values if value is not None]
    mean = statistics.fmean(known) if known else None
    return Spread(tuple(values), mean, statistics.stdev(known) if len(known) > 1 else None)


def pooled_report(runs: Sequence[Run]) -> tuple[int, dict[str, Interval]]:
    """Return how many validation samples the folds have together, and the 95 % intervals of what adds up over them.

    Each sample is in one fold, and was scored by a network that has not seen it. Folds share most of their training
    data, so the spread over folds alone shows too little (Bengio and Grandvalet, "No unbiased estimator of the
    variance of k-fold cross-validation", 2004); the samples are independent.
    """
    parts = [found for run in runs if (found := _stored(run))]
    if len(parts) < len(runs) or not parts:
        return sum(len(predictions) for predictions, _ in parts), {}
    report = parts[0][1]
    together = joined([predictions for predictions, _ in parts])
    if not len(together):  # a network with its own step need not answer
        return 0, {}
    pooled = evaluate(together, task=report.task, class_names=report.class_names, split="validation")
    return len(together), {
        name: interval for name, interval in pooled.intervals.items() if name in MEANS_OF_SAMPLES
    }


def _stored(run: Run) -> tuple[Predictions, Report] | None:
    folder = run.evaluation_folder("validation")
    try:
        return Predictions.load(folder / "predictions.npz"), Report.load(folder / "report.json")
    except (OSError, RunDamaged):
        return None
