"""Predictions of one run, or of several as one model, for new samples."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.data.dataset import Progress
from core.errors import InputError
from core.evaluation.calibration import tempered
from core.evaluation.values import Array
from core.inference.chosen import temperature_of, thresholds_of
from core.inference.inputs import read_inputs
from core.inference.mask_files import picture_sizes, write_masks
from core.inference.prediction_files import NewPredictions
from core.inference.together import mean_scores, mean_thresholds, uncounted_thresholds
from core.remedies import MASKS_FOLDER, PREDICTIONS_FILE
from core.runs.folder import Run
from core.runs.together import members_of
from core.session.evaluation import decision_thresholds, score_inputs, trained_model
from core.tasks.registry import task_of

__all__ = ["NewMasks", "predict_new"]


@dataclass(frozen=True, eq=False)
class NewMasks:
    """Masks that were written.

    Attributes:
        written: their number.
        size: of each, in words.
        notes: what was done to the pictures; a line each.
    """

    written: int
    size: str
    notes: tuple[str, ...]


def predict_new(
    runs: Sequence[Run],
    samples: Path,
    *,
    masks: Path | None = None,
    data_root: Path | None = None,
    progress: Progress,
) -> NewPredictions | NewMasks:
    """Score new samples with a run, or with the mean of several; of a model of masks, write these.

    Args:
        samples: a table, arrays, or a folder of pictures or texts; see `read_inputs`.
        masks: folder for one PNG for each picture, of a model of masks alone.

    Raises:
        InputError: the samples do not fit the model, or `masks` does not.
    """
    each, probabilities, thresholds, notes = [], [], [], dict[str, None]()
    for member in (member for one in runs for member in members_of(one) or [one]):
        trained = trained_model(member, data_root=data_root, progress=progress, samples=False)
        _check_output(masks, trained.data.name, gives_masks=bool(trained.data.sample.places))
        given = read_inputs(samples, trained.data)
        notes |= dict.fromkeys(given.notes)
        progress("predicting", 0, len(given.ids))
        each.append(score_inputs(trained, given.inputs))
        limits, note = decision_thresholds(trained, member)
        thresholds.append(limits)
        notes |= dict.fromkeys([note] if note else [])
        probabilities.append(trained.scorer.gives_probabilities(trained.data.target_facts))
    scores = mean_scores(each, probabilities=probabilities) if len(each) > 1 else each[0]
    if masks is not None:
        return _write_masks(given.ids, scores, samples, masks, tuple(notes))
    task = task_of(trained.data.task)
    names = () if task.own_step else trained.data.class_names  # its outputs may be anything
    limits = mean_thresholds(thresholds)
    if len(runs) == 1 and len(each) > 1:  # a run that stands for several has choices of its own
        temperature = temperature_of(runs[0])
        scores = scores if temperature is None else tempered(scores, temperature)
        limits = thresholds_of(runs[0], names if task.several_labels else (), limits)
    if limits is None and (note := uncounted_thresholds(thresholds)):
        notes[note] = None
    return NewPredictions(
        ids=given.ids,
        scores=scores,
        names=names,
        targets=trained.data.target_names if scores.ndim > 1 else (),
        thresholds=limits,
        kept=given.kept,
        notes=tuple(notes),
    )


def _write_masks(
    ids: Sequence[str], scores: Array, samples: Path, folder: Path, notes: tuple[str, ...]
) -> NewMasks:
    sizes = picture_sizes(samples, ids)
    written = write_masks(ids, scores.argmax(axis=1).astype(np.uint8), folder, sizes)
    model = "x".join(map(str, scores.shape[2:]))
    size = f"of {model}" if sizes is None else f"of the size of their pictures; the model takes {model}"
    return NewMasks(written, size, notes)


def _check_output(masks: Path | None, data: str, *, gives_masks: bool) -> None:
    """Refuse an output that does not fit what the model gives.

    Raises:
        InputError: it gives masks and no folder is named for them, or the other way round.
    """
    if gives_masks and masks is None:
        raise InputError("this model gives a mask for each picture", (MASKS_FOLDER,))
    if masks is not None and not gives_masks:
        raise InputError(f"a model of {data} gives no masks", (PREDICTIONS_FILE,))
