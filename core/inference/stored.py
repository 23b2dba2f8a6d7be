"""Evaluations stored with a run: predictions and report of a split, opened again at once."""

from dataclasses import dataclass
from pathlib import Path

from core.evaluation.predictions import Predictions
from core.evaluation.report import Report
from core.runs.folder import SPLITS, Run, all_runs

__all__ = [
    "Evaluation",
    "is_latest",
    "latest_evaluated",
    "load_evaluation",
    "saved_evaluation",
    "was_evaluated",
]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Predictions of a run's best weights for a split, and every number that follows from them.

    `made`: when its files were written, in nanoseconds since 1970.
    """

    run: Run
    split: str
    predictions: Predictions
    report: Report
    made: int


def was_evaluated(run: Run, split: str) -> bool:
    """Return whether a split was ever evaluated, even with weights that are not the best any more."""
    return (run.evaluation_folder(split) / "report.json").is_file()


def saved_evaluation(run: Run, split: str) -> Evaluation | None:
    """The saved evaluation of a split; None when there is none, or when the best weights are newer.

    Raises:
        RunDamaged: its files cannot be read.
    """
    made = _made(run, split)
    if made == 0 or made < _modified(run.checkpoint_file("best")):
        return None
    return load_evaluation(run, split)


def is_latest(evaluation: Evaluation) -> bool:
    """Return whether the files it was read from are still the ones to read."""
    run, split = evaluation.run, evaluation.split
    return evaluation.made == _made(run, split) >= _modified(run.checkpoint_file("best"))


def latest_evaluated(runs_dir: Path) -> Run | None:
    """The run in a folder that was evaluated last; None if there is none.

    Raises:
        RunError: the folder cannot be read.
    """
    dated = [(_last_report(run), run) for run in all_runs(runs_dir)]
    time, run = max(dated, key=lambda pair: pair[0], default=(0, None))
    return run if time else None


def load_evaluation(run: Run, split: str) -> Evaluation:
    """Return the evaluation of a split as its files hold it, whether or not the best weights are newer.

    Raises:
        RunDamaged: its files cannot be read.
    """
    folder, made = run.evaluation_folder(split), _made(run, split)
    predictions, report = Predictions.load(folder / "predictions.npz"), Report.load(folder / "report.json")
    return Evaluation(run, split, predictions, report, made)


def _made(run: Run, split: str) -> int:
    folder = run.evaluation_folder(split)
    return min(_modified(folder / "report.json"), _modified(folder / "predictions.npz"))


def _last_report(run: Run) -> int:
    return max(_modified(run.evaluation_folder(split) / "report.json") for split in SPLITS)


def _modified(path: Path) -> int:
    """Return when a file was written, in nanoseconds since 1970; 0 if it does not exist."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
