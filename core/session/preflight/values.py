"""Numbers of the first training step: not finite, not what the loss takes, weights without a gradient."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from core.data.batches import Batch
from core.data.inputs import tensors_of
from core.errors import DataError, ModelError
from core.session.preflight.finding import Finding, failed, warned
from core.session.preflight.loss import loss_in_training
from core.session.preflight.outputs import outputs_in_training
from core.session.preflight.places import place_of
from core.session.preflight.trial import Trial

if TYPE_CHECKING:
    from core.session.preparation import Prepared

__all__ = ["first_values"]

NAMED = 3
"""Weights that a message names."""


def first_values(trial: Trial, batch: Batch) -> Iterator[Finding]:
    """Yield what the numbers of the first step show."""
    yield _finite(trial, batch)
    yield _weights_without_gradient(trial)
    yield from outputs_in_training(trial, batch)
    yield from loss_in_training(trial, batch)


def _finite(trial: Trial, batch: Batch) -> Finding:
    name, prepared = "numbers of the first step are finite", trial.prepared
    if not all(bool(torch.isfinite(each).all()) for each in tensors_of(batch.inputs)):
        return failed(
            name, DataError("the first batch holds NaN or infinite inputs", "Fill or leave out such values")
        )
    for what, value in (("outputs", trial.returned), ("loss", trial.loss)):
        if isinstance(value, Tensor) and not bool(torch.isfinite(value).all()):
            return failed(
                name,
                ModelError(
                    f"NaN or infinite numbers in the {what} of the first batch, with the initial weights"
                    f"{_place(prepared)}",
                    "Look for divisions by 0, roots and logarithms",
                ),
            )
    if trial.learner.scaler is None:  # a scaled loss may overflow at first
        for weight_name, weight in trial.learner.model.named_parameters():
            if weight.grad is not None and not bool(torch.isfinite(_values(weight.grad)).all()):
                return failed(
                    name,
                    ModelError(
                        f"NaN or infinite numbers in the first gradient of {weight_name}, not in the loss"
                        f"{_place(prepared)}",
                        "Look for roots and norms of 0, whose slope is infinite",
                    ),
                )
    return Finding(name)


def _place(prepared: "Prepared") -> str:
    return place_of(r"/|\blog\b|sqrt|\bexp\b|norm", prepared.model, prepared.config)


def _values(gradient: Tensor) -> Tensor:
    return gradient.coalesce().values() if gradient.layout == torch.sparse_coo else gradient


def _weights_without_gradient(trial: Trial) -> Finding:
    name = "all weights have a gradient"
    lacking = [
        key
        for key, weight in trial.learner.model.named_parameters()
        if weight.requires_grad and weight.grad is None
    ]
    if not lacking:
        return Finding(name)
    named = ", ".join(lacking[:NAMED]) + (f" and {len(lacking) - NAMED} more" if len(lacking) > NAMED else "")
    return warned(
        name,
        f"no gradient reaches {named}: the outputs do not depend on {'it' if len(lacking) == 1 else 'them'}",
        "Use them in forward, or freeze or remove them",
    )
