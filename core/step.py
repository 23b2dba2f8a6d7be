"""One training step: a batch forward, its gradients back, the weights moved. Chosen once, called for every batch."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn
from torch.optim import Optimizer

if TYPE_CHECKING:
    from core.losses import LossFunction

__all__ = ["Step", "step_function"]

Step = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Inputs (b, *sample_shape) and targets of a batch, to its mean loss and its outputs (b, n)."""


def step_function(model: nn.Module, loss_function: "LossFunction", optimizer: Optimizer) -> Step:
    """The step that trains `model`; its gradients are those of the last batch afterwards."""
    weights, update = list(model.parameters()), _bare_step(optimizer)

    def step(inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        for weight in weights:  # what zero_grad does, without its hooks for profilers
            weight.grad = None
        outputs = model(inputs)
        loss = loss_function(outputs, targets)
        loss.backward()  # type: ignore[no-untyped-call]
        update()
        return loss, outputs

    return step


def _bare_step(optimizer: Optimizer) -> Callable[[], object]:
    """`optimizer.step` without the profiler's record and the (absent) hooks that PyTorch puts around each call."""
    step: Any = type(optimizer).step
    return partial(step.__wrapped__, optimizer) if hasattr(step, "hooked") else optimizer.step
