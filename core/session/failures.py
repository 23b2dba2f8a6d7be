"""Where a run's model fails on a split: slices, columns that matter, targets that look wrong."""

from dataclasses import dataclass, replace

import numpy as np

from core.data.dataset import Progress
from core.evaluation.failures.label_errors import likely_label_errors
from core.evaluation.failures.slices import Outcomes, Slice, outcomes, slices
from core.inference.columns import columns_of
from core.inference.importance import MAX_SAMPLES as MAX_SHUFFLED
from core.inference.importance import Importance, importances
from core.inference.stored import Evaluation
from core.session.evaluation import RunData, trained_model

__all__ = ["MAX_STREAMED", "Failures", "failures_of"]

MAX_STREAMED = 20_000
"""Samples of a stream whose columns are read; of more a random part is taken."""


@dataclass(frozen=True, eq=False)
class Failures:
    """Facts of where a model fails.

    Attributes:
        outcomes: of each sample; None where answers are neither one class nor a number.
        slices: the worst first; empty for samples without columns.
        importances: of columns, the largest first; empty likewise.
        label_errors: positions, in the evaluation, of samples whose target is probably wrong.
        slices_of, shuffled_in: how many samples were drawn for slices and for importances; empty if all were.
    """

    outcomes: Outcomes | None
    slices: tuple[Slice, ...]
    importances: tuple[Importance, ...]
    label_errors: np.ndarray
    slices_of: str = ""
    shuffled_in: str = ""


def failures_of(evaluation: Evaluation, data: RunData, progress: Progress) -> Failures:
    """Return where the model of an evaluation fails.

    Args:
        data: of the run; it is loaded if it was not.

    Raises:
        TorchtuiError: data or weights cannot be read, or do not fit together.
    """
    predictions, split = evaluation.predictions, evaluation.split
    found, loaded = outcomes(predictions), data.load(progress)
    suspects = likely_label_errors(predictions) if split != "train" else np.empty(0, dtype=np.int64)
    if found is None or not loaded.feature_names:
        return Failures(found, (), (), suspects)
    total, slices_of = len(predictions), ""
    indices, streamed = predictions.indices, getattr(loaded.splits[split].inputs, "is_streamed", False)
    if streamed and total > MAX_STREAMED:
        some = np.sort(np.random.default_rng(0).choice(total, MAX_STREAMED, replace=False))
        found, indices = replace(found, values=found.values[some]), indices[some]
        slices_of = _of_some(MAX_STREAMED, total)
    columns = columns_of(loaded, split, indices)
    trained = trained_model(evaluation.run, samples=False)
    shuffled = importances(
        trained.model, loaded, split, trained.scorer, trained.device, progress, predictions.thresholds
    )
    shuffled_in = _of_some(MAX_SHUFFLED, total) if shuffled and total > MAX_SHUFFLED else ""
    return Failures(found, tuple(slices(found, columns)), tuple(shuffled), suspects, slices_of, shuffled_in)


def _of_some(taken: int, total: int) -> str:
    return f"{taken:,} of {total:,} samples, drawn at random"
