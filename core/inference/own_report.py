"""Evaluation of a network that trains by its own step: its numbers on a split, and what it gives to look at."""

from typing import TYPE_CHECKING

import torch

from core.data.batches import Batches
from core.errors import DataError
from core.evaluation.own_report import own_report
from core.evaluation.report import Report
from core.random_state import rng_state, set_rng_state
from core.training.own.samples import Shown, shown
from core.training.own.validation import validate_steps, validation_method

if TYPE_CHECKING:
    from torch.nn import Module

    from core.config.schema import Training
    from core.data.dataset import Dataset

__all__ = ["report_steps"]


def report_steps(
    model: "Module", split: str, data: "Dataset", settings: "Training", device: torch.device
) -> tuple[Report, Shown | None]:
    """Return the report of a split, and the samples of its first batch.

    Random numbers that the network draws start at the seed of the training, so that an evaluation can be repeated.

    Args:
        split: ``train``, ``validation`` or ``test``.

    Raises:
        DataError: the split is empty.
        ModelError: the network returned something else than numbers and samples.
    """
    samples = data.splits[split]
    if not len(samples):
        raise DataError(f"{data.name} has no {split} samples", "Choose another split")
    random = rng_state(device)
    torch.manual_seed(settings.seed)
    try:
        measured = validate_steps(model, Batches(samples, data, device), settings.batch_size)
    finally:
        set_rng_state(random, device)
    assert measured is not None
    numbers, given = measured
    where = f"{type(model).__name__}.{validation_method(model)}"
    return own_report(numbers, n=len(samples), split=split), shown(given, where)
