"""Calibration of a trained run: a temperature, fitted on validation and kept with the run.

Evaluations, predictions and exports made after it use it; see `core.inference.chosen`.
"""

from dataclasses import replace
from pathlib import Path

from core.data.dataset import Progress
from core.errors import InputError
from core.evaluation.calibration import best_temperature
from core.inference.chosen import keep_temperature, temperature_of
from core.inference.stored import Evaluation
from core.losses.temperature import Tempered
from core.runs.folder import Run
from core.session.on_validation import KeptChoice, choose_on_validation
from core.session.preparation import Prepared

__all__ = ["calibrate_run", "remove_calibration", "with_temperature"]


def calibrate_run(run: Run, *, data_root: Path | None, progress: Progress) -> KeptChoice[float]:
    """Fit a temperature on validation, keep it with the run, and return what changes.

    Raises:
        InputError: the scores of the run are not probabilities of one class a sample.
        TorchtuiError: it cannot be evaluated, or nothing can be written.
    """
    remove_calibration(run)
    return choose_on_validation(run, _fit, keep_temperature, data_root=data_root, progress=progress)


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


def _fit(evaluation: Evaluation) -> float:
    predictions = evaluation.predictions
    if not predictions.probabilities or predictions.scores.ndim != 2 or predictions.targets.ndim != 1:
        raise InputError(
            f"the scores of {evaluation.run.id} are not probabilities of one class a sample",
            "Calibrate a run that was trained with a loss such as cross_entropy",
        )
    return best_temperature(predictions)
