"""Predictions of a network for one split."""

from typing import TYPE_CHECKING

import torch
from torch import nn

from core.data.batches import Batches
from core.data.dataset import Dataset
from core.errors import DataError
from core.evaluation.predictions import Predictions
from core.losses.base import exact_scores
from core.tasks.registry import task_of
from core.training.validation import network_outputs

if TYPE_CHECKING:
    from core.losses.base import Scorer

__all__ = ["predict"]


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
    outputs = torch.cat([outputs for outputs, _ in network_outputs(model, Batches(samples, data, device))])
    with torch.no_grad():
        scores = exact_scores(scorer, outputs)
    probabilities = scorer.gives_probabilities(data.target_facts)
    return task_of(data.task).predictions(scores, samples, data, probabilities)
