"""One training step. It is put together once, from what the configuration asks for, and called for every batch:

    weight.grad = None                            for each weight
    for part in parts of the batch:               training.accumulate; one part by default
        outputs = forward(part.inputs)            training.precision, compile, channels_last
        loss = loss_function(outputs, part.targets)
        scale(loss).backward()                    scaled for fp16; processes add up gradients with the last part
    clip_grad_norm_(weights)                      training.clip_norm, after the gradients are scaled back
    optimizer.step()                              L-BFGS runs all of the above several times
    ema_model.update_parameters(model)            training.ema
    return loss, outputs                          of the whole batch, before the update

What is not asked for costs nothing: each piece is a function that the next one calls.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.amp import GradScaler
from torch.nn.utils import clip_grad_norm_
from torch.optim import Optimizer

from core.config.training import Training
from core.data.batches import Batch
from core.models.moving_average import MovingAverage
from core.optimizers.closure import needs_closure
from core.optimizers.fused import leave_fused_if_unfit
from core.torch_private import bare_step
from core.training.distributed import Share
from core.training.forward_pass import Forward

if TYPE_CHECKING:
    from core.losses.base import LossFunction

__all__ = [
    "Step",
    "autograd_gradients",
    "averaged",
    "parts_of_all",
    "step_function",
    "stepping",
]

Step = Callable[[Batch], tuple[Tensor, Any]]
"""Takes a batch; returns its mean loss and the outputs (b, n).

That of a network with a step of its own returns the numbers that it reports in place of outputs.
"""

Backward = Callable[[Tensor], None]


def step_function(
    settings: Training,
    model: nn.Module,
    loss_function: "LossFunction",
    optimizer: Optimizer,
    *,
    gradients: Step | None = None,
    scaler: GradScaler | None = None,
    ema: MovingAverage | None = None,
    weights: Sequence[nn.Parameter] = (),
) -> Step:
    """Return the step that trains `model`; its gradients are those of the last step afterwards.

    Args:
        gradients: adds the gradients of a batch to those of the weights; by default autograd does, on plain calls of
            `model`. See `autograd_gradients`.
        scaler: the one that scaled the loss; it scales the gradients back.
        ema: follows the weights; see `core.models.moving_average`.
        weights: all that have gradients; by default those of `model`.
    """
    gradients = gradients or autograd_gradients(settings, model, loss_function, scaler=scaler)
    return stepping(gradients, settings, model, optimizer, scaler=scaler, ema=ema, weights=weights)


def stepping(
    gradients: Step,
    settings: Training,
    model: nn.Module,
    optimizer: Optimizer,
    *,
    scaler: GradScaler | None = None,
    ema: MovingAverage | None = None,
    weights: Sequence[nn.Parameter] = (),
) -> Step:
    """Return the step that moves the weights along what `gradients` computes; see `step_function`."""
    weights = weights or list(model.parameters())
    if needs_closure(type(optimizer)):
        step = partial(_searching_step, gradients, optimizer)
    else:
        step = partial(
            _plain_step, gradients, weights, _update_function(settings, weights, optimizer, scaler)
        )
    return step if ema is None else averaged(step, ema, model)


def autograd_gradients(
    settings: Training,
    forward: Forward,
    loss_function: "LossFunction",
    *,
    scaler: GradScaler | None = None,
    processes: int = 1,
    share: Share | None = None,
    no_sync: Callable[[], AbstractContextManager[object]] = nullcontext,
    divided: bool = False,
) -> Step:
    """Return a function that adds the gradients of the mean loss to those that the weights have.

    Args:
        forward: calls the model.
        scaler: scales the loss, so that small gradients do not vanish in fp16.
        processes: how many take a share of each batch; `forward` adds up their gradients.
        share: of this one.
        no_sync: keeps `forward` from that until the last part of a batch.
        divided: weights are divided: the loss is weighted by the share, where else gradients are.
    """
    backward: Backward = Tensor.backward if scaler is None else partial(_scaled_backward, scaler)
    share = share or Share()
    if divided:
        backward = partial(_weighted_backward, backward, share)
    if settings.accumulate == 1:
        return partial(_whole_batch, forward, loss_function, backward)
    part_size = -(-settings.batch_size // processes)
    return partial(_batch_in_parts, forward, loss_function, backward, part_size, share, no_sync)


def _whole_batch(
    forward: Forward, loss_function: "LossFunction", backward: Backward, batch: Batch
) -> tuple[Tensor, Tensor]:
    outputs = forward(batch.inputs)
    loss = batch.loss(loss_function, outputs)
    backward(loss)
    return loss, outputs


def _batch_in_parts(
    forward: Forward,
    loss_function: "LossFunction",
    backward: Backward,
    part_size: int,
    share: Share,
    no_sync: Callable[[], AbstractContextManager[object]],
    batch: Batch,
) -> tuple[Tensor, Tensor]:
    """Weigh each part by how much its samples count: the last one of an epoch may be small."""
    losses, all_outputs = [], []
    parts = list(batch.split(part_size))
    for part, is_last in parts_of_all(parts, part_size, share):
        with nullcontext() if is_last else no_sync():
            outputs = forward(part.inputs)
            loss = part.loss(loss_function, outputs) * (0.0 if share.stands_in else part.share_of(batch))
            backward(loss)
        if not share.stands_in:
            losses.append(loss.detach())
            all_outputs.append(outputs.detach())
    return torch.stack(losses).sum(), torch.cat(all_outputs)


def _weighted_backward(backward: Backward, share: Share, loss: Tensor) -> None:
    backward(loss * share.weight)


def parts_of_all(parts: Sequence[Batch], part_size: int, share: Share) -> Iterator[tuple[Batch, bool]]:
    """Yield the parts of a batch, and whether each is the last one, as many as any process has.

    Where others have more, the last one stands in, and counts nothing: layers over all samples, and those whose weights
    are divided, wait for each other.
    """
    calls = max(len(parts), -(-share.most // part_size))
    for number in range(calls):
        share.stands_in = not share.weight or number >= len(parts)
        yield parts[min(number, len(parts) - 1)], number == calls - 1
    share.stands_in = not share.weight


def _scaled_backward(scaler: GradScaler, loss: Tensor) -> None:
    scaler.scale(loss).backward()


def _plain_step(
    gradients: Step,
    weights: Sequence[nn.Parameter],
    update: Callable[[], object],
    batch: Batch,
) -> tuple[Tensor, Any]:
    for weight in weights:  # as zero_grad does, without its hooks for profilers
        weight.grad = None
    result = gradients(batch)
    update()
    return result


def _searching_step(gradients: Step, optimizer: Optimizer, batch: Batch) -> tuple[Tensor, Any]:
    """Move the weights several times on one batch; return its loss and outputs from before the first move."""
    first: list[tuple[Tensor, Any]] = []

    def evaluate() -> Tensor:
        optimizer.zero_grad()
        loss, outputs = gradients(batch)
        if not first:
            first.append((loss.detach(), outputs.detach() if isinstance(outputs, Tensor) else outputs))
        return loss

    optimizer.step(evaluate)  # type: ignore[arg-type]  # PyTorch's own closures return a tensor
    return first[0]


def averaged(step: Step, ema: MovingAverage, model: nn.Module) -> Step:
    """Return a step after which the moving average follows."""

    def followed(batch: Batch) -> tuple[Tensor, Any]:
        result = step(batch)
        ema.update_parameters(model)
        return result

    return followed


def _update_function(
    settings: Training, weights: Sequence[nn.Parameter], optimizer: Optimizer, scaler: GradScaler | None
) -> Callable[[], object]:
    """Return the function that moves the weights along their gradients."""
    if scaler is not None:
        return partial(_unscale_and_move, optimizer, scaler, weights, settings.clip_norm)
    move = bare_step(optimizer)
    if any(group.get("fused") for group in optimizer.param_groups):
        move = _checked_first(optimizer, move)
    return partial(_clip_and_move, move, weights, settings.clip_norm) if settings.clip_norm else move


def _checked_first(optimizer: Optimizer, move: Callable[[], object]) -> Callable[[], object]:
    """Return `move`; before its first call fused kernels are given up if they do not suit the gradients."""
    is_checked = False

    def checked() -> None:
        nonlocal is_checked
        if not is_checked:
            leave_fused_if_unfit(optimizer)
            is_checked = True
        move()

    return checked


def _clip_and_move(move: Callable[[], object], weights: Sequence[nn.Parameter], clip_norm: float) -> None:
    clip_grad_norm_(weights, clip_norm)
    move()


def _unscale_and_move(
    optimizer: Optimizer, scaler: GradScaler, weights: Sequence[nn.Parameter], clip_norm: float
) -> None:
    """Move the weights, unless a gradient is not finite: then the scale was too large, and becomes smaller."""
    if clip_norm:
        scaler.unscale_(optimizer)
        clip_grad_norm_(weights, clip_norm)
    scaler.step(optimizer)
    scaler.update()
