"""Pictures and rows of what a model got most wrong."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from core.data.dataset import no_progress
from core.errors import TorchtuiError
from core.evaluation.multilabel.pairs import answers_to
from core.inference.samples import Samples
from core.inference.stored import Evaluation, stored_samples
from core.metrics import number
from core.report.page import Figure, Table
from core.session.evaluation import RunData
from core.tasks.registry import task_of

__all__ = ["Mistakes", "mistakes", "own_pictures", "own_text"]

MAX_PICTURES = 24
MAX_ROWS = 12
MAX_FEATURES, MAX_CHANNELS = 8, 4
MAX_TEXT = 300
"""Characters of a text of a row."""


@dataclass(frozen=True)
class Mistakes:
    """The worst predictions, as pictures or as rows.

    Attributes:
        note: one line on what is missing; empty when nothing is.
    """

    title: str
    note: str = ""
    pictures: Sequence[Figure] = ()
    rows: Table | None = None


def mistakes(evaluation: Evaluation, data_root: Path | None) -> Mistakes:
    """The most confident mistakes, or the largest errors, with their images or rows where the data set is here."""
    predictions, names = evaluation.predictions, evaluation.report.class_names
    task = task_of(evaluation.report.task)
    title = task.worst_first
    worst = task.worst(predictions, MAX_PICTURES).tolist()
    if not worst:
        return Mistakes(title, "None: every sample was predicted correctly.")
    samples, problem = _samples(evaluation, data_root, np.array(worst))
    if task.pictured:
        shown = [_pictured(evaluation, samples, at) for at in worst] if samples is not None else []
        note = f"Without the images: {problem}" if problem else f"{task.pictured.capitalize()}."
        return Mistakes(title, note, pictures=shown)
    drawn = {"picture": _image, "curves": _curves}.get(samples.kind.shown) if samples is not None else None
    if samples is not None and drawn is not None and names:
        return Mistakes(title, pictures=[drawn(evaluation, samples, at) for at in worst])
    note = f"Without the samples themselves: {problem}" if problem else ""
    return Mistakes(title, note, rows=_rows(evaluation, samples, worst[:MAX_ROWS]))


def own_pictures(evaluation: Evaluation) -> Iterator[Figure]:
    """Yield the picture that a network with its own training step gave to look at, if it gave one."""
    given = _given(evaluation)
    if isinstance(given, np.ndarray):
        file = io.BytesIO()
        Image.fromarray(given).save(file, format="PNG")
        yield Figure(file.getvalue(), "png", "samples", "Samples that the network gave")


def own_text(evaluation: Evaluation) -> str:
    """Return the text that a network with its own training step gave to look at; empty if it gave none."""
    given = _given(evaluation)
    return given if isinstance(given, str) else ""


def _given(evaluation: Evaluation) -> np.ndarray | str | None:
    try:
        return stored_samples(evaluation)
    except TorchtuiError as error:
        return str(error)


def _samples(
    evaluation: Evaluation, data_root: Path | None, wanted: np.ndarray
) -> tuple[Samples | None, str]:
    """The samples at some positions, or why they are not to be had; nothing is downloaded."""
    from core.data.registry import default_root

    try:
        if not evaluation.run.config().data.available(data_root or default_root()):
            return None, "the data set is not on this machine."
        samples = Samples(RunData(evaluation.run, data_root).load, evaluation.split, evaluation.predictions)
        samples.read(wanted, no_progress)
    except TorchtuiError as error:
        return None, str(error)
    return samples, ""


def _pictured(evaluation: Evaluation, samples: Samples, position: int) -> Figure:
    """A prediction as its task shows it."""
    predictions, report = evaluation.predictions, evaluation.report
    task, index = task_of(report.task), int(predictions.indices[position])
    drawn, quality = task.picture(predictions, position, samples.picture(position), len(report.class_names))
    file = io.BytesIO()
    Image.fromarray(drawn).save(file, format="PNG")
    return Figure(file.getvalue(), "png", f"sample {index}: {task.pictured}", f"{index}  {quality}")


def _image(evaluation: Evaluation, samples: Samples, position: int) -> Figure:
    from matplotlib.image import imsave

    predictions = evaluation.predictions
    true, answer, score = _answers(evaluation, position)
    caption = f"{true} → {answer}  {score}"
    file = io.BytesIO()
    imsave(file, samples.picture(position), cmap="gray", vmin=0, vmax=255, format="png")
    what = f"sample {int(predictions.indices[position])}, true {true}, predicted {answer}"
    return Figure(file.getvalue(), "png", what, caption)


def _curves(evaluation: Evaluation, samples: Samples, position: int) -> Figure:
    from core.report.figures import channels

    true, answer, score = _answers(evaluation, position)
    what = f"sample {int(evaluation.predictions.indices[position])}, true {true}, predicted {answer}"
    values = [np.asarray(channel) for channel in samples.row(position)[:MAX_CHANNELS]]
    return Figure(channels(values, samples.columns), "svg+xml", what, f"{true} → {answer}  {score}")


def _rows(evaluation: Evaluation, samples: Samples | None, positions: list[int]) -> Table:
    predictions, names = evaluation.predictions, evaluation.report.class_names
    features = samples.columns[:MAX_FEATURES] if samples and samples.kind.shown != "curves" else []
    rows = []
    for at in positions:
        row = samples.row(at)[:MAX_FEATURES] if samples and features else []
        inputs = [
            f"{value:.4g}" if isinstance(value, float) else str(value or "")[:MAX_TEXT] for value in row
        ]
        if names:
            answers = list(_answers(evaluation, at))
        else:
            pairs = zip(np.ravel(predictions.targets[at]), np.ravel(predictions.scores[at]), strict=True)
            answers = [
                f"{value:.4g}"
                for target, number in pairs
                for value in (target, number, float(target) - float(number))
            ]
        rows.append([int(predictions.indices[at]), *answers, *inputs])
    last = "wrong labels" if predictions.has_labels else "score" if names else "error"
    kinds = ("true", "predicted", last)
    targets = [str(row["name"]) for row in evaluation.report.per_target]
    heads = [f"{target} {kind}" for target in targets for kind in kinds] or kinds
    return Table(["sample", *heads, *features], rows)


def _answers(evaluation: Evaluation, position: int) -> tuple[str, str, str]:
    """The true class, the predicted one and its score; of labels those of both sides, and how many are wrong."""
    predictions, names = evaluation.predictions, evaluation.report.class_names
    if predictions.has_labels:
        found = answers_to(predictions, position)
        true, given = (
            ", ".join(names[label] for label in sorted(part)) or "none"
            for part in (found.hit + found.missed, found.hit + found.wrong)
        )
        return true, given, str(len(found.missed) + len(found.wrong))
    true_class, answer = int(predictions.targets[position]), int(predictions.predicted[position])
    return names[true_class], names[answer], number(float(predictions.scores[position, answer]), 3)
