"""Evaluations of runs: made with the best weights, kept in the run's folder, opened again at once."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.data.dataset import Progress
from core.devices import resolve
from core.errors import DataError, DeviceError, RunDamaged
from core.evaluation.predictions import Predictions
from core.evaluation.report import Report
from core.evaluation.values import Array
from core.runs.folder import SPLITS, Run, all_runs
from core.session.preload import load_backend

if TYPE_CHECKING:
    from torch import Tensor

    from core.session.session import Prepared

__all__ = [
    "Evaluation",
    "evaluate_run",
    "is_latest",
    "latest_evaluated",
    "saved_evaluation",
    "score_inputs",
    "trained_model",
    "was_evaluated",
]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What the best weights of a run said about a split, and every number that follows from it.

    `made`: when its files were written, in nanoseconds since 1970.
    """

    run: Run
    split: str
    predictions: Predictions
    report: Report
    made: int


def _unwatched(what: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


def was_evaluated(run: Run, split: str) -> bool:
    """Whether a split was ever evaluated, even with weights that are not the best any more."""
    return (run.evaluation_folder(split) / "report.json").is_file()


def saved_evaluation(run: Run, split: str) -> Evaluation | None:
    """The saved evaluation of a split; None when there is none, or when the best weights are newer.

    Raises:
        RunDamaged: its files cannot be read.
    """
    made = _made(run, split)
    if made == 0 or made < _modified(run.checkpoint_file("best")):
        return None
    return _load(run, split)


def is_latest(evaluation: Evaluation) -> bool:
    """Whether the files it was read from are still the ones to read."""
    run, split = evaluation.run, evaluation.split
    return evaluation.made == _made(run, split) >= _modified(run.checkpoint_file("best"))


def evaluate_run(
    run: Run, split: str, *, data_root: Path | None = None, progress: Progress = _unwatched
) -> Evaluation:
    """The evaluation of a split: the saved one, or a new one with the best weights, which is saved.

    Args:
        split: ``train``, ``validation`` or ``test``.
        data_root: folder of downloaded data sets.
        progress: told what goes on.

    Raises:
        TorchtuiError: weights, data or model are not there or do not fit together, or nothing can be written.
    """
    try:
        saved = saved_evaluation(run, split)
    except RunDamaged:  # what cannot be read is made anew
        saved = None
    if saved is not None:
        return saved
    prepared = trained_model(run, data_root=data_root, progress=progress)
    from core.session.session import evaluate_split

    samples = len(prepared.data.splits[split])
    if not samples:
        raise DataError(f"{run.id} has no {split} samples", "Evaluate it on another split")
    progress("predicting", 0, samples)
    evaluate_split(prepared, run, split)
    return _load(run, split)


def trained_model(
    run: Run, *, data_root: Path | None = None, progress: Progress = _unwatched, samples: bool = True
) -> "Prepared":
    """The data of a run and its model with the best weights, on its own device or else on one that is here.

    Args:
        samples: whether the data shall have its samples; without them it need not be there any more.

    Raises:
        TorchtuiError: weights, data or model are not there or do not fit together.
    """
    load_backend()
    from core.runs.checkpoints import load_checkpoint
    from core.runs.data_facts import known_data
    from core.session.session import assemble, prepare

    config = run.config()
    weights = load_checkpoint(run, "best")["model"]
    progress(f"loading {config.data.title}", 0, 0)
    try:
        resolve(config.training.device)
    except DeviceError:  # trained on another machine
        training = config.training.model_copy(update={"device": "auto"})
        config = config.model_copy(update={"training": training})
    try:
        known = None if samples else known_data(run)
        if known is not None:
            prepared = assemble(config, known, weights, run=run)
        else:
            prepared = prepare(config, data_root, progress, weights, run=run)
    except (RuntimeError, TypeError, AttributeError) as error:
        raise RunDamaged(
            f"{run.checkpoint_file('best')} does not fit the model in {run.config_file.name}: "
            + str(error).partition("\n")[0],
            "Restore the configuration that the run was trained with",
        ) from None
    prepared.model.to(prepared.device)
    return prepared


def score_inputs(trained: "Prepared", inputs: "Tensor") -> Array:
    """What a trained model says about new samples.

    Args:
        inputs: (n, *sample_shape), in the unit of the data it was trained on, at least one sample.

    Returns:
        Scores (n, classes), or predicted numbers (n,) in the unit of the target.
    """
    from dataclasses import replace

    import numpy as np
    import torch

    from core.data.dataset import Split
    from core.inference.predict import predict

    n, data = len(inputs), trained.data
    unknown = torch.zeros((n, 1)) if data.task == "regression" else torch.zeros(n, dtype=torch.int64)
    asked = replace(data, test=Split(inputs, unknown, np.arange(n)))
    return predict(trained.model, "test", asked, trained.config.loss, trained.device).scores


def latest_evaluated(runs_dir: Path) -> Run | None:
    """The run in a folder that was evaluated last; None if there is none.

    Raises:
        RunError: the folder cannot be read.
    """
    dated = [(_last_report(run), run) for run in all_runs(runs_dir)]
    time, run = max(dated, key=lambda pair: pair[0], default=(0, None))
    return run if time else None


def _load(run: Run, split: str) -> Evaluation:
    folder, made = run.evaluation_folder(split), _made(run, split)
    predictions, report = Predictions.load(folder / "predictions.npz"), Report.load(folder / "report.json")
    return Evaluation(run, split, predictions, report, made)


def _made(run: Run, split: str) -> int:
    folder = run.evaluation_folder(split)
    return min(_modified(folder / "report.json"), _modified(folder / "predictions.npz"))


def _last_report(run: Run) -> int:
    return max(_modified(run.evaluation_folder(split) / "report.json") for split in SPLITS)


def _modified(path: Path) -> int:
    """When a file was written, in nanoseconds since 1970; 0 if it is not there."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
