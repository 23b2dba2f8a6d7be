"""Evaluation of a network that trains by its own step: its numbers on a split, its samples, its outputs."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from core.data.stream.batches import batches_of
from core.errors import DataError, ModelError
from core.evaluation.own_report import own_report
from core.evaluation.report import Report
from core.evaluation.values import Array
from core.models.own.calling import call_network
from core.models.own_step import has_forward
from core.random_state import rng_state, set_rng_state
from core.training.own.samples import Shown, shown
from core.training.own.validation import validate_steps, validation_method
from core.training.worker import trains_elsewhere

if TYPE_CHECKING:
    from torch.nn import Module

    from core.config.training import Training
    from core.data.dataset import Dataset, Split

__all__ = ["own_outputs", "report_steps"]

ROWS = 256


def report_steps(
    model: "Module", split: str, data: "Dataset", settings: "Training", device: torch.device
) -> tuple[Report, Shown | None]:
    """Return the report of a split, and the samples of its first batch.

    Random numbers that the network draws start at the seed of the training, so that an evaluation can be repeated; not
    while another thread trains a run.

    Args:
        split: ``train``, ``validation`` or ``test``.

    Raises:
        DataError: the split is empty.
        ModelError: the network returned something else than numbers and samples.
    """
    samples = data.splits[split]
    if not len(samples):
        raise DataError(f"{data.name} has no {split} samples", "Choose another split")
    with _seeded(settings.seed, device):
        measured = validate_steps(model, batches_of(samples, data, device), settings.batch_size)
    assert measured is not None
    where = f"{type(model).__name__}.{validation_method(model)}"
    return own_report(measured.numbers, n=len(samples), split=split), shown(measured.samples, where)


@contextmanager
def _seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Context manager in which random numbers start at `seed`; those of a run that trains meanwhile are left alone."""
    if trains_elsewhere():
        yield
        return
    random = rng_state(device)
    torch.manual_seed(seed)
    try:
        yield
    finally:
        if not trains_elsewhere():  # a run that has begun since seeds them itself
            set_rng_state(random, device)


def own_outputs(model: "Module", samples: "Split", data: "Dataset", device: torch.device) -> Array:
    """Return what the network's ``forward`` gives for some samples: float32 (n, ...).

    Raises:
        ModelError: it has none, or gives something else than a tensor with one row a sample.
    """
    name = type(model).__name__
    hint = "Define forward(self, inputs), which returns a tensor with one row a sample"
    if not has_forward(model):
        raise ModelError(f"{name} has no forward, so there is nothing to predict with", hint)
    model.eval()
    given = []
    batches = batches_of(samples, data, device)
    for inputs, targets, _ in batches.iterate(batches.limit(ROWS)):
        with torch.inference_mode():
            outputs = call_network(model, inputs)
        if not isinstance(outputs, torch.Tensor) or len(outputs) != len(targets):
            kind = tuple(outputs.shape) if isinstance(outputs, torch.Tensor) else type(outputs).__name__
            raise ModelError(f"{name}.forward returned {kind} for {len(targets)} samples", hint)
        given.append(outputs.float().cpu())
    together: Array = torch.cat(given).numpy()
    return together
