"""Calibration of a trained run: a temperature, fitted on validation and kept with the run.

Evaluations, predictions and exports made after it use it. It belongs to the weights that it was fitted with: when a
resumed run has better ones, it is left alone.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.data.dataset import Progress
from core.errors import InputError, RunDamaged
from core.evaluation.calibration import best_temperature
from core.evaluation.report import Report
from core.files.atomic import creating, write_atomically
from core.files.reading import read_bytes
from core.inference.stored import Evaluation
from core.losses.temperature import Tempered
from core.runs.folder import Run
from core.runs.summary import summarise
from core.session.evaluation import evaluate_run
from core.session.preparation import Prepared

__all__ = ["Calibrated", "calibrate_run", "remove_calibration", "temperature_of", "with_temperature"]

MAX_BYTES = 10_000


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
    _write(run, {"temperature": temperature, "best_epoch": summarise(run).best_epoch})
    after = evaluate_run(run, "validation", data_root=data_root, progress=progress)
    return Calibrated(temperature, before.report, after.report)


def remove_calibration(run: Run) -> bool:
    """Return to the probabilities that the network gives; return whether there was a calibration.

    Raises:
        RunError: its file cannot be written.
    """
    if temperature_of(run) is None:
        return False
    _write(run, {"temperature": 1.0, "best_epoch": summarise(run).best_epoch})  # outdates what was evaluated
    return True


def temperature_of(run: Run) -> float | None:
    """Return the temperature of a run's best weights; None if there is none for them.

    Raises:
        RunDamaged: its file cannot be read.
    """
    if run.checkpoint != "best" or not run.calibration_file.exists():
        return None
    try:
        values = json.loads(read_bytes(run.calibration_file, limit=MAX_BYTES))
        temperature, epoch = float(values["temperature"]), int(values["best_epoch"])
        if not 0 < temperature < float("inf"):
            raise ValueError(f"its temperature is {temperature}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunDamaged(
            f"{run.calibration_file} cannot be read ({error})", "Delete it, or calibrate the run again"
        ) from None
    return None if temperature == 1 or epoch != summarise(run).best_epoch else temperature


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


def _write(run: Run, values: dict[str, Any]) -> None:
    text = json.dumps(values).encode()
    with creating(run.calibration_file):
        write_atomically(run.calibration_file, lambda file: file.write(text))
