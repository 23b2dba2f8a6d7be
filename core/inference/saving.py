"""Predictions and report in the folder of a run, and what a network gave to look at."""

from pathlib import Path

from core.evaluation.predictions import Predictions
from core.evaluation.report import Report
from core.files.atomic import creating, write_atomically
from core.runs.folder import Run, ensure_plain
from core.training.own.samples import Shown

__all__ = ["PICTURE", "TEXT", "save_evaluation"]


PICTURE, TEXT = "samples.png", "samples.txt"


def save_evaluation(run: Run, predictions: Predictions, report: Report, samples: Shown | None = None) -> None:
    """Write all of them.

    Args:
        samples: a picture or a text that the network's own validation gave.

    Raises:
        RunError: they cannot be written.
    """
    ensure_plain(run)
    folder = run.evaluation_folder(report.split)
    with creating(folder):
        folder.parent.mkdir(exist_ok=True)
    _save_samples(folder, samples)
    predictions.save(folder / "predictions.npz")
    report.save(folder / "report.json")


def _save_samples(folder: Path, samples: Shown | None) -> None:
    """Write the samples in place of earlier ones, of whatever kind those were."""
    for name in (PICTURE, TEXT):
        with creating(folder / name):
            (folder / name).unlink(missing_ok=True)
    if isinstance(samples, str):
        text = samples.encode(errors="backslashreplace")
        write_atomically(folder / TEXT, lambda file: file.write(text))
    elif samples is not None:
        from PIL import Image

        picture = Image.fromarray(samples)
        write_atomically(folder / PICTURE, lambda file: picture.save(file, format="PNG"))
