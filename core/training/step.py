"""One training step: a batch forward, its gradients back, the weights moved. Chosen once, called for every batch.

What is not asked for is not there: each piece is a function that the next one calls, put together by
`step_function`.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.amp import GradScaler
from torch.nn.utils import clip_grad_norm_
from torch.optim import LBFGS, Optimizer
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from core.config.schema import Training
from core.optimizers.without_dynamo import bare_step
from core.training.cuda_graphs import Captured
from core.training.forward_pass import Forward

if TYPE_CHECKING:
    from core.losses import LossFunction

__all__ = ["Gradients", "Step", "running_mean", "step_function"]

Step = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Inputs (b, *sample_shape) and targets of a step, to the mean loss and the outputs (b, n)."""

Gradients = Callable[[Training, nn.Module, "LossFunction"], Step | None]
"""Makes what adds the gradients of a step's mean loss to those of a network; None to leave that to this module."""


def step_function(
    settings: Training,
    model: nn.Module,
    loss_function: "LossFunction",
    optimizer: Optimizer,
    *,
    forward: Forward | None = None,
    average: AveragedModel | None = None,
    scaler: GradScaler | None = None,
    capture: bool = False,
    processes: int = 1,
    unshared: Callable[[], AbstractContextManager[object]] = nullcontext,
    gradients_of: Gradients | None = None,
) -> Step:
    """The step that trains `model`; its gradients are those of the last step afterwards.

    Args:
        forward: calls the model; by default it is called as it is.
        scaler: scales the loss, and the gradients back, so that small ones do not vanish.
        average: follows the weights; see `running_mean`.
        capture: replay the forward and backward pass as a CUDA graph.
        processes: how many take a share of each batch; `forward` adds up their gradients.
        unshared: within it, `forward` does not yet: only with the last part of a step.
        gradients_of: asked first for what computes the gradients.
    """
    gradients = gradients_of(settings, model, loss_function) if gradients_of else None
    gradients = gradients or _gradients(
        settings, forward or model, loss_function, scaler, settings.batch_size // processes, unshared
    )
    weights = list(model.parameters())
    if capture:
        gradients = Captured(gradients, weights, settings.batch_size)
    if isinstance(optimizer, LBFGS):
        step = _searching_step(gradients, optimizer)
    else:
        step = _plain_step(gradients, weights, settings, optimizer, scaler)
    return step if average is None else _averaged(step, average, model)


def running_mean(model: nn.Module, decay: float) -> AveragedModel:
    """A copy of `model` whose weights become decay x theirs + (1 - decay) x the model's, from those of the first step.

    Its buffers, such as the statistics of batch normalisation, are the model's.
    """
    mean = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
    return AveragedModel(model, multi_avg_fn=mean).eval()


def _averaged(step: Step, average: AveragedModel, model: nn.Module) -> Step:
    def step_and_average(inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        seen = step(inputs, targets)
        average.update_parameters(model)
        return seen

    return step_and_average


def _plain_step(
    gradients: Step,
    weights: list[nn.Parameter],
    settings: Training,
    optimizer: Optimizer,
    scaler: GradScaler | None,
) -> Step:
    update = _update(settings, weights, optimizer, scaler)

    def step(inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        for weight in weights:  # what zero_grad does, without its hooks for profilers
            weight.grad = None
        loss, outputs = gradients(inputs, targets)
        update()
        return loss, outputs

    return step


def _gradients(
    settings: Training,
    forward: Forward,
    loss_function: "LossFunction",
    scaler: GradScaler | None,
    batch_size: int,
    unshared: Callable[[], AbstractContextManager[object]],
) -> Step:
    """Adds the gradients of the mean loss to those that the weights have."""
    backward: Callable[[Tensor], None] = Tensor.backward if scaler is None else _scaled_backward(scaler)

    def at_once(inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        outputs = forward(inputs)
        loss = loss_function(outputs, targets)
        backward(loss)
        return loss, outputs

    def in_parts(inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Each part weighs as much as it has samples: the last one of an epoch may be small."""
        losses, answers = [], []
        parts = list(zip(torch.split(inputs, batch_size), torch.split(targets, batch_size), strict=True))
        for number, (some_inputs, some_targets) in enumerate(parts, start=1):
            with nullcontext() if number == len(parts) else unshared():
                outputs = forward(some_inputs)
                loss = loss_function(outputs, some_targets) * (len(some_targets) / len(targets))
                backward(loss)
            losses.append(loss.detach())
            answers.append(outputs.detach())
        return torch.stack(losses).sum(), torch.cat(answers)

    return at_once if settings.accumulate == 1 else in_parts


def _scaled_backward(scaler: GradScaler) -> Callable[[Tensor], None]:
    def backward(loss: Tensor) -> None:
        scaler.scale(loss).backward()  # type: ignore[no-untyped-call]

    return backward


def _update(
    settings: Training, weights: list[nn.Parameter], optimizer: Optimizer, scaler: GradScaler | None
) -> Callable[[], object]:
    """Moves the weights along their gradients."""
    move = bare_step(optimizer)

    def clip_and_move() -> None:
        clip_grad_norm_(weights, settings.clip_norm)
        move()

    def unscale_and_move() -> None:
        """Not at all where a gradient is not finite: the scale was too large, and becomes smaller."""
        assert scaler is not None
        if settings.clip_norm:
            scaler.unscale_(optimizer)
            clip_grad_norm_(weights, settings.clip_norm)
        scaler.step(optimizer)
        scaler.update()

    if scaler is not None:
        return unscale_and_move
    return clip_and_move if settings.clip_norm else move


def _searching_step(gradients: Step, optimizer: LBFGS) -> Step:
    """A step that moves the weights several times on one batch; its loss and outputs are those before."""

    def step(inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        seen: list[tuple[Tensor, Tensor]] = []

        def evaluate() -> Tensor:
            optimizer.zero_grad()
            loss, outputs = gradients(inputs, targets)
            if not seen:
                seen.append((loss.detach(), outputs.detach()))
            return loss

        optimizer.step(evaluate)  # type: ignore[no-untyped-call]
        return seen[0]

    return step
