"""Pictures and rows of what a model got most wrong."""

import io
from pathlib import Path

import numpy as np

from core.errors import TorchtuiError
from core.evaluation import most_confident_mistakes, residuals
from core.inference.samples import Samples
from core.inference.stored import Evaluation
from core.report.page import element, picture, shown, table
from core.session.evaluation import RunData

__all__ = ["mistakes"]

MAX_PICTURES = 24
MAX_ROWS = 12
MAX_FEATURES = 8


def mistakes(evaluation: Evaluation, data_root: Path | None) -> str:
    """The most confident mistakes, or the largest errors, with their images or rows where the data set is here."""
    predictions, names = evaluation.predictions, evaluation.report.class_names
    if evaluation.report.task == "regression":
        worst = np.argsort(-np.abs(residuals(predictions)), kind="stable")[:MAX_ROWS]
    else:
        worst = most_confident_mistakes(predictions, MAX_PICTURES)
    if not len(worst):
        return element("p", "There is none: every sample was predicted right.", "quiet")
    samples, problem = _samples(evaluation, data_root)
    note = element("p", f"Without the samples themselves: {problem}", "quiet") if problem else ""
    if samples is not None and samples.kind == "image" and names:
        return f'<div class="samples">{"".join(_image(evaluation, samples, int(at)) for at in worst)}</div>'
    return note + _rows(evaluation, samples, worst[:MAX_ROWS].tolist())


def _samples(evaluation: Evaluation, data_root: Path | None) -> tuple[Samples | None, str]:
    """The samples, or why they are not to be had; nothing is downloaded."""
    from core.data.registry import default_root

    try:
        if not evaluation.run.config().data.available(data_root or default_root()):
            return None, "the data set is not on this machine."
        samples = Samples(RunData(evaluation.run, data_root).load, evaluation.split, evaluation.predictions)
        samples.load(lambda what, done, total: None)
    except TorchtuiError as error:
        return None, str(error)
    return samples, ""


def _image(evaluation: Evaluation, samples: Samples, position: int) -> str:
    from matplotlib.image import imsave

    predictions, names = evaluation.predictions, evaluation.report.class_names
    true, answer = int(predictions.targets[position]), int(predictions.predicted[position])
    caption = f"{names[true]} → {names[answer]}  {predictions.scores[position, answer]:.2f}"
    file = io.BytesIO()
    imsave(file, samples.picture(position), cmap="gray", vmin=0, vmax=255, format="png")
    what = f"sample {int(predictions.indices[position])}, true {names[true]}, predicted {names[answer]}"
    return picture(file.getvalue(), "png", what, caption)


def _rows(evaluation: Evaluation, samples: Samples | None, positions: list[int]) -> str:
    predictions, names = evaluation.predictions, evaluation.report.class_names
    features = [shown(name) for name in samples.columns[:MAX_FEATURES]] if samples else []
    rows = []
    for at in positions:
        row = samples.row(at)[:MAX_FEATURES] if samples and features else []
        inputs = [f"{value:.4g}" if isinstance(value, float) else value for value in row]
        if names:
            true, answer = int(predictions.targets[at]), int(predictions.predicted[at])
            answers = [names[true], names[answer], f"{predictions.scores[at, answer]:.3f}"]
        else:
            target, number = float(predictions.targets[at]), float(predictions.scores[at])
            answers = [f"{target:.4g}", f"{number:.4g}", f"{target - number:.4g}"]
        rows.append([int(predictions.indices[at]), *answers, *inputs])
    return table(["sample", "true", "predicted", "score" if names else "error", *features], rows)
