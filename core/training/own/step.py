"""One step of a network that defines it itself. With one optimizer the engine does what it always does around it:

    weight.grad = None                                        for each weight
    loss = model.training_step((inputs, targets))["loss"]     training.precision, compile, channels_last
    scale(loss).backward()                                    of each part of the batch, for training.accumulate
    clip_grad_norm_(weights); optimizer.step(); ema           see `core.training.step`

With several the network does all of that but the moving average:

    model.training_step((inputs, targets), optimizers)

Several processes add up the gradients explicitly, before the weights move: the network need not be called as a whole.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.amp import GradScaler
from torch.optim import Optimizer

from core.config.training import Training
from core.data.batches import Batch
from core.data.inputs import map_inputs
from core.errors import ModelError
from core.models.moving_average import MovingAverage
from core.models.own_step import check_signatures, defines
from core.optimizers.several import SeveralOptimizers
from core.training.distributed import Group, Share
from core.training.forward_pass import HALF, compiled
from core.training.own.numbers import Numbers, loss_of, numbers_of
from core.training.own.shared_gradients import sum_gradients
from core.training.sharding.path import Path
from core.training.step import Step, averaged, parts_of_all, stepping

__all__ = ["own_optimizer", "own_step"]

REMEDY = "or train in one process"
"""What to do where the processes do different things in a step."""


def own_optimizer(model: nn.Module) -> Optimizer | SeveralOptimizers | None:
    """Return what the network's `configure_optimizers` gives; None if it does not define it.

    Raises:
        ModelError: it gives something else, or the network's methods take other arguments.
    """
    if not defines(model, "configure_optimizers"):
        check_signatures(model, several_optimizers=False)
        return None
    given: Any = model.configure_optimizers()  # type: ignore[operator]  # a method of the user's class
    several = isinstance(given, dict | list | tuple)
    listed = [given] if not several else list(given.values() if isinstance(given, dict) else given)
    if not listed or not all(isinstance(each, Optimizer) for each in listed):
        kinds = ", ".join(type(each).__name__ for each in listed) or "nothing"
        raise ModelError(
            f"{type(model).__name__}.configure_optimizers returned {kinds}",
            "It returns a torch.optim.Optimizer, or a dict, list or tuple of them; a scheduler is given as the "
            "schedule of the configuration, by its file and name",
        )
    check_signatures(model, several_optimizers=several)
    own: Optimizer | SeveralOptimizers = SeveralOptimizers(given) if several else given
    return own


def own_step(
    settings: Training,
    model: nn.Module,
    optimizer: Optimizer | SeveralOptimizers,
    device: torch.device,
    *,
    scaler: GradScaler | None = None,
    ema: MovingAverage | None = None,
    group: Group,
    share: Share,
    path: Path | None = None,
    around: Callable[[Step], Step] | None = None,
) -> Step:
    """Return the step that trains `model` by its own; in place of outputs it returns the numbers to report.

    Args:
        around: see `core.training.learner.Learner.build_step`; a step with several optimizers is one piece.
        scaler, ema: see `core.training.step.step_function`.
        share: of this process in the coming step.
        path: compares what each of several processes does; None with one.
    """
    if isinstance(optimizer, SeveralOptimizers):
        call = _called(settings, model, device, fixed=False)
        step: Step = partial(_several, call, optimizer, model)
        if path is not None:
            for name, each in optimizer.by_name.items():
                each.register_step_pre_hook(partial(_add_up, share, path, name))
            step = partial(_to_the_end, step, path)
        return step if ema is None else averaged(step, ema, model)
    backward = Tensor.backward if scaler is None else lambda loss: scaler.scale(loss).backward()
    call = _called(settings, model, device, fixed=True)
    gradients: Step = partial(_gradients, call, backward, model)
    if settings.accumulate > 1:
        size = -(-settings.batch_size // group.size)
        gradients = partial(_in_parts, call, backward, model, size, share)
    if path is not None:
        gradients = partial(_to_the_end, gradients, path)
        gradients = partial(_shared, gradients, share, list(model.parameters()))
    if around:
        gradients = around(gradients)
    return stepping(gradients, settings, model, optimizer, scaler=scaler, ema=ema)


def _called(settings: Training, model: nn.Module, device: torch.device, *, fixed: bool) -> Callable[..., Any]:
    """Return the function that calls the network's step on a batch and maybe optimizers.

    Args:
        fixed: true if weights do not change during the call: then autocast may keep what it has cast of them.
    """
    method: Callable[..., Any] = model.training_step  # type: ignore[assignment]  # a method of the user's class
    if settings.compile:
        method = compiled(method)

    def call(batch: Batch, *optimizers: Any) -> Any:
        if settings.channels_last:
            inputs = map_inputs(lambda each: each.contiguous(memory_format=torch.channels_last), batch.inputs)
            batch = batch._replace(inputs=inputs)
        if settings.precision not in HALF:
            return method(batch.given, *optimizers)
        with torch.autocast(device.type, dtype=HALF[settings.precision], cache_enabled=fixed):
            return method(batch.given, *optimizers)

    return call


def _where(model: nn.Module) -> str:
    return f"{type(model).__name__}.training_step"


def _gradients(
    call: Callable[..., Any],
    backward: Callable[[Tensor], None],
    model: nn.Module,
    batch: Batch,
) -> tuple[Tensor, Numbers]:
    loss, numbers = loss_of(call(batch), _where(model))
    backward(loss)
    return loss, numbers


def _in_parts(
    call: Callable[..., Any],
    backward: Callable[[Tensor], None],
    model: nn.Module,
    part_size: int,
    share: Share,
    batch: Batch,
) -> tuple[Tensor, Numbers]:
    """Weigh each part by how much its samples count: the last one of an epoch may be small."""
    losses, reported = [], []
    for part, _ in parts_of_all(list(batch.split(part_size)), part_size, share):
        loss, numbers = loss_of(call(part), _where(model))
        loss = loss * (0.0 if share.stands_in else part.share_of(batch))
        backward(loss)
        if not share.stands_in:
            losses.append(loss.detach())
            reported.append((numbers, part.samples))
    return torch.stack(losses).sum(), _weighted(reported)


def _weighted(reported: Iterable[tuple[Numbers, int]]) -> Numbers:
    """Return the means of numbers over the parts of a batch, where they lie."""
    totals: dict[str, Any] = {}
    weights: dict[str, int] = {}
    for numbers, samples in reported:
        for name, value in numbers.items():
            totals[name] = totals.get(name, 0.0) + value * samples
            weights[name] = weights.get(name, 0) + samples
    return {name: total / weights[name] for name, total in totals.items()}


def _shared(gradients: Step, share: Share, weights: list[nn.Parameter], batch: Batch) -> tuple[Tensor, Any]:
    """Compute the gradients of this process's share of a batch, and add up those of all."""
    result = gradients(batch)
    sum_gradients(weights, share)
    return result


def _to_the_end(step: Step, path: Path, batch: Batch) -> tuple[Tensor, Any]:
    """Take a step, or compute its gradients, after which all processes have to have come to its end."""
    result = step(batch)
    path.reach("the end of its training_step", REMEDY)
    return result


def _add_up(share: Share, path: Path, name: str, optimizer: Optimizer, *_: object) -> None:
    """Add up the gradients of all processes before an optimizer moves its weights."""
    path.reach(f"the step of optimizer {name}", REMEDY)
    weights = [weight for each in optimizer.param_groups for weight in each["params"]]
    sum_gradients(weights, share)


def _several(
    call: Callable[..., Any],
    optimizers: SeveralOptimizers,
    model: nn.Module,
    batch: Batch,
) -> tuple[Tensor, Numbers]:
    numbers = numbers_of(call(batch, optimizers.given), _where(model))
    return torch.as_tensor(numbers.get("loss", 0.0)), numbers
