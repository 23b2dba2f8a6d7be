"""Networks that define their own training step: the task ``custom``.

    class Net(nn.Module):
        def training_step(self, batch): ...          returns the loss, or a dict with ``loss`` and other numbers
        def validation_step(self, batch): ...        optional: a dict of numbers, maybe with ``samples`` to look at
        def configure_optimizers(self): ...          optional: an optimizer, or a dict, list or tuple of several

A batch is a tuple of inputs and targets, of the shapes, types and device that a network's own loss would get:

    inputs      float32 (b, *sample_shape), scaled as ``data.scaling`` says
    targets     int64 (b,) classes, or float32 (b, 1) numbers in their own unit

With several optimizers the step is ``training_step(batch, optimizers)``, with what `configure_optimizers` returned; it
computes the gradients and moves the weights itself.
"""

import inspect
from typing import TYPE_CHECKING, Any

from core.errors import ModelError

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["check_signatures", "defines", "has_forward", "has_own_step"]


def has_own_step(model: "Module") -> bool:
    """Return true if the network defines `training_step`."""
    return defines(model, "training_step")


def defines(model: "Module", method: str) -> bool:
    """Return true if the network defines a method of this name."""
    return callable(getattr(model, method, None))


def has_forward(model: "Module") -> bool:
    """Return true if the network can be called: one with its own step needs no ``forward``."""
    from torch.nn import Module

    return type(model).forward is not Module.forward


def check_signatures(model: "Module", several_optimizers: bool) -> None:
    """Check that the network's own methods take what they are called with.

    Raises:
        ModelError: one of them does not, such as a ``training_step(self, batch, batch_idx)``.
    """
    taken = "batch, optimizers" if several_optimizers else "batch"
    _check(model, "training_step", taken)
    if defines(model, "validation_step"):
        _check(model, "validation_step", "batch")


def _check(model: "Module", method: str, taken: str) -> None:
    function: Any = getattr(model, method)
    signature = inspect.signature(function)
    try:
        signature.bind(*taken.split(", "))
    except TypeError:
        name = f"{type(model).__name__}.{method}"
        raise ModelError(
            f"{name} is defined with the arguments {signature}", f"It is called as {method}({taken})"
        ) from None
