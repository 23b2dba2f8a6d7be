"""Calibration of a trained run: a temperature, fitted on validation and kept with the run.

Evaluations, predictions and exports made after it use it; see `core.inference.chosen`.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from core.data.dataset import Progress
from core.errors import InputError
from core.evaluation.calibration import best_temperature
from core.evaluation.report import Report
from core.inference.chosen import keep_temperature, temperature_of
from core.inference.stored import Evaluation
from core.losses.temperature import Tempered
from core.runs.folder import Run
from core.session.evaluation import evaluate_run
from core.session.preparation import Prepared

__all__ = ["Calibrated", "calibrate_run", "remove_calibration", "with_temperature"]


@dataclass(frozen=True)
class Calibrated:
    """A calibration, and reports of validation `before` and `after` it."""

    temperature: float
    before: Report
    after: Report


def calibrate_run(run: Run, *, data_root: Path | None, progress: Progress) -> Calibrated:
    """Fit a temperature on validation, keep it with the run, and return what changes.

    Raises:
        InputError: the scores of the run are not probabilities of one class a sample.
        TorchtuiError: it cannot be evaluated, or nothing can be written.
    """
    remove_calibration(run)
    before = evaluate_run(run, "validation", data_root=data_root, progress=progress)
    _check(before)
    temperature = best_temperature(before.predictions)
    keep_temperature(run, temperature)
    after = evaluate_run(run, "validation", data_root=data_root, progress=progress)
    return Calibrated(temperature, before.report, after.report)


def remove_calibration(run: Run) -> bool:
    """Return to the probabilities that the network gives; return whether there was a calibration.

    Raises:
        RunError: its file cannot be written.
    """
    if temperature_of(run) is None:
        return False
    keep_temperature(run, 1.0)
    return True


def with_temperature(trained: Prepared, run: Run) -> Prepared:
    """Return a trained model whose scores are at the temperature of its run, if it has one.

    Raises:
        RunDamaged: its file cannot be read.
    """
    temperature = temperature_of(run)
    if temperature is None:
        return trained
    return replace(trained, trained_scorer=Tempered(trained.scorer, temperature))


def _check(evaluation: Evaluation) -> None:
    predictions = evaluation.predictions
    if not predictions.probabilities or predictions.scores.ndim != 2 or predictions.targets.ndim != 1:
        raise InputError(
            f"the scores of {evaluation.run.id} are not probabilities of one class a sample",
            "Calibrate a run that was trained with a loss such as cross_entropy",
        )
