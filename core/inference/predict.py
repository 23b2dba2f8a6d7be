"""Predictions of a network for one split."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from core.data.dataset import Dataset, Split
from core.data.stream.batches import batches_of
from core.errors import DataError
from core.evaluation.predictions import Predictions
from core.losses.base import exact_scores
from core.tasks.joined import joined
from core.tasks.registry import task_of
from core.training.validation import network_outputs

if TYPE_CHECKING:
    from core.losses.base import Scorer

__all__ = ["predict", "score"]


def predict(
    model: nn.Module, split: str, data: Dataset, scorer: "Scorer", device: torch.device
) -> Predictions:
    """Return what `model` predicts for a split of `data`.

    Args:
        split: ``train``, ``validation`` or ``test``.
        scorer: says how outputs become scores; see `core.losses`.

    Raises:
        DataError: the split is empty.
    """
    samples = data.splits[split]
    if not len(samples):
        raise DataError(f"{data.name} has no {split} samples", "Choose another split")
    task = task_of(data.task)
    scores = task.scores(scorer, _outputs(model, samples, data, device))
    probabilities = scorer.gives_probabilities(data.target_facts)
    found = task.predictions(scores, samples, data, probabilities)
    groups = getattr(samples, "groups", None)
    return found if groups is None else replace(found, groups=groups)


def score(
    model: nn.Module, samples: Split, data: Dataset, scorer: "Scorer", device: torch.device
) -> np.ndarray:
    """Return the scores (n, outputs, ...) of samples, or numbers in the target's own unit."""
    with torch.no_grad():
        scores = exact_scores(scorer, joined(_outputs(model, samples, data, device)))
    return task_of(data.task).in_unit(scores, data).numpy()


def _outputs(model: nn.Module, samples: Split, data: Dataset, device: torch.device) -> Iterator[Tensor]:
    rows = task_of(data.task).rows_at_once(data.sample_shape)
    return (outputs for outputs, _ in network_outputs(model, batches_of(samples, data, device), rows))
