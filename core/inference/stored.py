"""Evaluations stored with a run: predictions and report of a split, opened again at once."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core.errors import RunDamaged
from core.evaluation.predictions import Predictions
from core.evaluation.report import Report
from core.files.reading import open_regular, read_bytes
from core.inference.saving import PICTURE, TEXT
from core.runs.folder import SPLITS, Run, all_runs
from core.tasks.evaluation import evaluate
from core.tasks.registry import find_task

__all__ = [
    "Evaluation",
    "chosen_thresholds",
    "is_latest",
    "latest_evaluated",
    "load_evaluation",
    "saved_evaluation",
    "stored_samples",
    "was_evaluated",
]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Predictions of a run's best weights for a split, and every number that follows from them.

    A network that trains by its own step has no predictions: there are none in it, and the report has its numbers.

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
    if made == 0 or made < _outdated_before(run):
        return None
    return load_evaluation(run, split)


def chosen_thresholds(run: Run) -> np.ndarray | None:
    """Return the score of each label (labels,) from which on it is given, as chosen on validation with these weights.

    None where none were chosen, or what was stored cannot be read.
    """
    try:
        evaluation = saved_evaluation(run, "validation")
    except RunDamaged:
        return None
    return None if evaluation is None else evaluation.predictions.thresholds


def is_latest(evaluation: Evaluation) -> bool:
    """Return whether the files it was read from are still the ones to read."""
    run, split = evaluation.run, evaluation.split
    return evaluation.made == _made(run, split) >= _outdated_before(run)


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
    if find_task(report.task) is None:
        raise RunDamaged(
            f"{folder / 'report.json'} is of the task '{report.task}', which is not known",
            "Evaluate the run again",
        )
    if report.provisional:
        report = _in_full(report, predictions)
    return Evaluation(run, split, predictions, report, made)


def _in_full(report: Report, predictions: Predictions) -> Report:
    """Return a report with its intervals, and with the values of the user's own metrics as they were stored."""
    names = report.class_names or [str(target["name"]) for target in report.per_target]
    full = evaluate(predictions, task=report.task, class_names=names, split=report.split)
    return replace(
        full,
        metrics={**report.metrics, **full.metrics},
        undefined={**report.undefined, **full.undefined},
        weighted_by=report.weighted_by,
        chosen_by=report.chosen_by,
    )


def _made(run: Run, split: str) -> int:
    folder = run.evaluation_folder(split)
    return min(_modified(folder / "report.json"), _modified(folder / "predictions.npz"))


def _outdated_before(run: Run) -> int:
    """Return when weights, temperature or threshold were last changed."""
    files = [run.checkpoint_file(run.checkpoint)]
    if run.checkpoint == "best":
        files += [run.calibration_file, run.threshold_file]
    return max(map(_modified, files))


def _last_report(run: Run) -> int:
    return max(_modified(run.evaluation_folder(split) / "report.json") for split in SPLITS)


def _modified(path: Path) -> int:
    """Return when a file was written, in nanoseconds since 1970; 0 if it does not exist."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def stored_samples(evaluation: Evaluation) -> np.ndarray | str | None:
    """Return what the network gave to look at: a picture, uint8 (height, width) or (height, width, 3), or a text.

    Raises:
        RunDamaged: its file cannot be read.
    """
    folder = evaluation.run.evaluation_folder(evaluation.split)
    text, picture = folder / TEXT, folder / PICTURE
    try:
        if text.is_file():
            return read_bytes(text).decode(errors="replace")
        if not picture.is_file():
            return None
        from PIL import Image

        with open_regular(picture) as file, Image.open(file) as opened:
            return np.asarray(opened.convert("L" if opened.mode == "L" else "RGB"))
    except Exception as error:  # Pillow raises whatever it trips over in a damaged file
        raise RunDamaged(
            f"the samples in {folder} cannot be read: {error}", "Evaluate the run again"
        ) from None
