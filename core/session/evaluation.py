"""Evaluating a run: its best weights on a split of its data, or on new samples."""

from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from core.data.dataset import Progress, no_progress
from core.devices import resolve
from core.errors import DataError, DeviceError, RunDamaged
from core.evaluation.values import Array
from core.gpus.process import gpu_to_evaluate
from core.inference.chosen import thresholds_of
from core.inference.stored import Evaluation, chosen_thresholds, load_evaluation, saved_evaluation
from core.inference.together import mean_thresholds
from core.runs.folder import Run
from core.runs.together import members_of
from core.session.preload import load_backend
from core.tasks.registry import task_of

if TYPE_CHECKING:
    from torch import Tensor

    from core.data.dataset import Dataset
    from core.data.inputs import Fields
    from core.session.session import Prepared

__all__ = [
    "RunData",
    "decision_thresholds",
    "evaluate_run",
    "score_inputs",
    "take_device_note",
    "trained_model",
]

_notes: list[str] = []


def evaluate_run(
    run: Run, split: str, *, data_root: Path | None = None, progress: Progress = no_progress
) -> Evaluation:
    """Return the evaluation of a split: the saved one, or a new one with the weights of `run`, which is saved.

    Args:
        split: ``train``, ``validation`` or ``test``.
        data_root: folder of downloaded data sets.
        progress: called while data is loaded and samples are predicted.

    Raises:
        TorchtuiError: weights, data or model are not there or do not fit together, or nothing can be written.
    """
    try:
        saved = saved_evaluation(run, split)
    except RunDamaged:  # an unreadable one is made again
        saved = None
    if saved is not None:
        return saved
    prepared = trained_model(run, data_root=data_root, progress=progress)
    from core.session.session import evaluate_split

    samples = len(prepared.data.splits[split])
    if not samples:
        raise DataError(f"{run.id} has no {split} samples", "Evaluate it on another split")
    progress("predicting", 0, samples)
    thresholds = decision_thresholds(prepared, run)[0] if members_of(run) else None
    evaluate_split(prepared, run, split, thresholds)
    return load_evaluation(run, split)


def trained_model(
    run: Run,
    *,
    data_root: Path | None = None,
    progress: Progress = no_progress,
    samples: bool = True,
    device: str = "",
) -> "Prepared":
    """Return the data of a run and its model with the weights that `run` names, on its own device or else on another.

    Where that leaves a choice it is a free GPU, see `take_device_note`.

    Args:
        samples: whether the data shall have its samples; without them it need not be there any more.
        device: where the model shall be; empty for the run's own.

    Raises:
        TorchtuiError: weights, data or model are not there or do not fit together.
    """
    load_backend()
    members = members_of(run)
    if members:
        from core.session.calibrate import with_temperature
        from core.session.together import trained_together

        each: list[Prepared] = []
        for one in members:
            device = device or (str(each[0].device) if each else "")
            each.append(
                trained_model(one, data_root=data_root, progress=progress, samples=samples, device=device)
            )
        return with_temperature(trained_together(each), run)
    from core.runs.checkpoints import load_weights
    from core.runs.data_facts import known_data
    from core.session.session import assemble, prepare
    from core.training.memory import device_with_room

    config = run.config()
    weights, loss_weights = load_weights(run)
    progress(f"loading {config.data.title}", 0, 0)
    training = config.training.model_copy(update={"device": device or _device_of(config.training.device)})
    config = config.model_copy(update={"training": training})
    try:
        known = None if samples else known_data(run)
        if known is not None:
            prepared = assemble(config, known, weights, run=run)
        else:
            prepared = prepare(config, data_root, progress, weights, run=run)
        prepared = prepared.with_scorer(run, loss_weights)
    except (RuntimeError, TypeError, AttributeError) as error:
        raise RunDamaged(
            f"{run.checkpoint_file(run.checkpoint)} does not fit the model in {run.config_file.name}: "
            + str(error).partition("\n")[0],
            "Restore the configuration that the run was trained with",
        ) from None
    if config.training.shard != "none":
        prepared = replace(prepared, device=device_with_room(prepared.model, prepared.device))
    prepared.model.to(prepared.device)
    from core.session.calibrate import with_temperature

    return with_temperature(prepared, run)


def _device_of(name: str) -> str:
    """Return the device to evaluate on, for the one that a run was trained on, and note why."""
    try:
        resolve(name)
    except DeviceError:  # trained on another machine
        name = "auto"
    name, note = gpu_to_evaluate(name)
    _notes[:] = [note]
    return name


def take_device_note() -> str:
    """Return one line on the GPU that the latest model was put on, once; empty where there was no choice."""
    note = _notes[0] if _notes else ""
    _notes.clear()
    return note


def score_inputs(trained: "Prepared", inputs: "Tensor | Fields") -> Array:
    """Return the scores of a trained model for new samples.

    Args:
        inputs: (n, *sample_shape), in the unit of the data it was trained on, at least one sample.

    Returns:
        Scores (n, classes), or predicted numbers (n,), of several (n, k), in the unit of each target; of a network
        with its own training step the outputs of its ``forward``, (n, ...).

    Raises:
        ModelError: such a network has no ``forward``, or one that does not return a tensor.
    """
    from dataclasses import replace

    import numpy as np

    from core.data.dataset import Split
    from core.inference.own_report import own_outputs
    from core.inference.predict import score

    n, data = len(inputs), trained.data
    task = task_of(data.task)
    asked = replace(data, test=Split(inputs, task.unknown_targets(n, data.outputs), np.arange(n)))
    if task.own_step:
        return own_outputs(trained.model, asked.test, data, trained.device)
    return score(trained.model, asked.test, asked, trained.scorer, trained.device)


def decision_thresholds(trained: "Prepared", run: Run) -> tuple[Array | None, str]:
    """Return the scores from which on each label is given, or of two classes the positive one, (1,); and a line.

    There is a line where those of labels were not chosen on validation. None for all other tasks, and for two
    classes where nothing was chosen: the one that scores highest is predicted.
    """
    import numpy as np

    data = trained.data
    labels = data.class_names if task_of(data.task).several_labels else ()
    members = members_of(run)
    if members:
        each, lines = zip(*(decision_thresholds(trained, member) for member in members), strict=True)
        return thresholds_of(run, labels, mean_thresholds(each)), next(filter(None, lines), "")
    if not labels:
        return thresholds_of(run, labels, None), ""
    chosen = chosen_thresholds(run)
    line = ""
    if chosen is None:
        usual = 0.5 if trained.scorer.gives_probabilities(data.target_facts) else 0.0
        chosen = np.full(len(labels), usual)
        line = f"labels are given from scores of {usual:g}: no thresholds were chosen on validation for these weights"
    return thresholds_of(run, labels, chosen), line


class RunData:
    """The data set of a run, loaded once, by whichever thread asks first."""

    def __init__(self, run: Run, root: Path | None) -> None:
        self.run, self.root = run, root
        self.dataset: Dataset | None = None
        self._lock = Lock()

    def load(self, progress: Progress) -> "Dataset":
        """Load it; not for the UI thread.

        Raises:
            TorchtuiError: it cannot be read.
        """
        with self._lock:
            if self.dataset is None:
                from core.data.registry import load
                from core.runs.code import from_copies
                from core.runs.data_facts import ensure_same_data

                load_backend()
                run = (members_of(self.run) or [self.run])[0]
                loaded = load(from_copies(run.config(), run).data, self.root, progress)
                ensure_same_data(run, loaded)
                self.dataset = loaded
            return self.dataset
