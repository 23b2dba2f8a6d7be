"""Validation of a network with its own step: the means of the numbers that it reports."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from core.data.batches import Batch, Batches
from core.models.own_step import defines
from core.runs.media.kinds import kind_of
from core.training.distributed import SINGLE, Group
from core.training.forward_pass import autocast
from core.training.own.meter import Sums, add_to, means, read_numbers
from core.training.own.numbers import SAMPLES, Numbers, numbers_of
from core.user_code.batch_notes import note_batch

__all__ = ["Validated", "validate_steps", "validation_method"]


@dataclass(frozen=True)
class Validated:
    """Results of a pass over a split.

    Attributes:
        numbers: means over all samples. samples: the first ``samples`` that a batch gave.
        media: the first images, texts and histograms of each name; see `core.runs.media.kinds`.
        elsewhere: names of media that other processes gave, and this one did not.
    """

    numbers: dict[str, float]
    samples: Any = None
    media: dict[str, Any] = field(default_factory=dict)
    elsewhere: tuple[str, ...] = ()


def validation_method(model: nn.Module) -> str:
    """Return the name of the method that validates a batch: ``validation_step``, or else the training step."""
    return "validation_step" if defines(model, "validation_step") else "training_step"


def validate_steps(
    model: nn.Module,
    batches: Batches,
    batch_size: int,
    should_stop: Callable[[], bool] = lambda: False,
    precision: str = "fp32",
    group: Group = SINGLE,
) -> Validated | None:
    """Return the means of the numbers over all samples, and what the first batches gave to look at.

    Batches are as large as in training, as a loss may depend on it. The results are empty for an empty split.

    Args:
        precision: of the network; see `core.training.forward_pass.autocast`.
        should_stop: polled before each batch; once it returns true, the result is None.
        group: the processes that each take some batches.

    Raises:
        ModelError: the network returned something else than numbers.
    """
    model.eval()
    reported: list[tuple[Numbers, int]] = []
    samples, media = None, dict[str, Any]()
    own = group.own_batches(len(batches), batch_size)
    for number, batch in enumerate(batches.iterate(batch_size, own)):
        if should_stop():
            return None
        try:
            given = _validated(model, batch, precision, batches.device)
        except BaseException as error:
            place = number * group.size + group.rank + 1
            note_batch(error, f"batch {place} of the evaluation", batch.inputs, batch.targets)
            raise
        reported.append((numbers_of(given, _where(model)), batch.samples))
        if isinstance(given, dict):
            samples = given.get(SAMPLES) if samples is None else samples
            media = {name: value for name, value in given.items() if kind_of(value) is not None} | media
    if should_stop():  # a stream ends early then
        return None
    names = {name for theirs in group.gather([*media]) for name in theirs}
    elsewhere = tuple(sorted(names - media.keys()))
    return Validated(means(group.sums_by_name(_summed(read_numbers(reported)))), samples, media, elsewhere)


def _validated(model: nn.Module, batch: Batch, precision: str, device: torch.device) -> Any:
    with torch.no_grad(), autocast(precision, device):
        return getattr(model, validation_method(model))(batch.given)


def _where(model: nn.Module) -> str:
    return f"{type(model).__name__}.{validation_method(model)}"


def _summed(reported: Iterable[tuple[dict[str, float], int]]) -> Sums:
    sums: Sums = {}
    for numbers, samples in reported:
        add_to(sums, numbers, samples)
    return sums
