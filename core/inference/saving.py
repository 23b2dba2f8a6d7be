"""Predictions and report in the folder of a run."""

from core.evaluation.predictions import Predictions
from core.evaluation.report import Report
from core.files.atomic import creating
from core.runs.folder import Run, ensure_plain

__all__ = ["save_evaluation"]


def save_evaluation(run: Run, predictions: Predictions, report: Report) -> None:
    """Write both.

    Raises:
        RunError: they cannot be written.
    """
    ensure_plain(run)
    folder = run.evaluation_folder(report.split)
    with creating(folder):
        folder.parent.mkdir(exist_ok=True)
    predictions.save(folder / "predictions.npz")
    report.save(folder / "report.json")
