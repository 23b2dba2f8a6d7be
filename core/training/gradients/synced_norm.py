"""Batch normalisation over the whole batch, of which several processes each take a share.

Layers of a network become layers over all processes, and what they were again, in place: a network may hold them under
several names. PyTorch's own (`torch.nn.SyncBatchNorm`) needs a GPU, and takes each process's samples as equally many.

With n samples of mean m, dy = dL/dy of the whole step's loss L, x' = (x - m) / sigma, and means over the whole batch:

    dL/dx = gamma / sigma * (dy - mean(dy) - x' * mean(dy * x'))

(Ioffe and Szegedy, "Batch Normalization", 2015.) Each process knows dy of its own mean loss alone, and L is the sum of
these, each times the process's share of the step.
"""

from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from core.torch_private import BatchNorm, check_shape
from core.training.distributed import Group, Share
from core.training.sharding.path import Path

__all__ = ["REMEDY", "sync_norms"]

REMEDY = "or set training.sync_batch_norm to false"
"""What to do where the processes come to different layers."""


def sync_norms(
    model: nn.Module, group: Group, weighted: Share, share: Share, path: Path | None = None
) -> bool:
    """Let batch normalisation see the whole batch of a group of processes; a group of one sees its own, as usual.

    Layers whose class computes in another way than PyTorch's stay as they are.

    Args:
        weighted: what the gradients of this process are to be weighted with; all of it where its loss is already.
        share: of this process in the coming step; what stands in for a sample is not seen.
        path: compares which layer each process comes to; None where all come to the same ones.

    Returns:
        Whether there are such layers.
    """
    found = False
    for name, module in model.named_modules():
        if type(module).__bases__[0] is _Synced:
            module.__class__ = type(module).__bases__[1]
        if group.size > 1 and isinstance(module, BatchNorm) and type(module).forward is BatchNorm.forward:
            module.__class__ = _synced(type(module))
            vars(module)["together"] = _Together(group, weighted, share, f"batch norm {name}", path)
            found = True
    return found


@dataclass(frozen=True)
class _Together:
    """Facts that a layer knows of the processes: its own shares, its name, and the path to it."""

    group: Group
    weighted: Share
    share: Share
    name: str
    path: Path | None

    def add_up(self, values: Tensor) -> None:
        """Sum values over all processes, in place, once all are at this layer."""
        if self.path is None:
            dist.all_reduce(values)
        else:
            self.path.reach(self.name, REMEDY)
            dist.all_reduce(values, group=self.path.processes)


def _synced(kind: type[BatchNorm]) -> type[BatchNorm]:
    """Return a class of layers as `kind`, under its name, over all processes."""
    return type(kind.__name__, (_Synced, kind), {"__module__": kind.__module__})


class _Synced:
    """The forward pass of a layer over all processes; evaluation is that of the layer."""

    def forward(self: Any, inputs: Tensor) -> Tensor:
        """Return what `BatchNorm.forward` does with the statistics of all processes."""
        if not self.training:
            return BatchNorm.forward(self, inputs)
        check_shape(self, inputs)
        together: _Together = self.together
        mean, variance, count = _statistics(inputs.detach(), together)
        if self.track_running_stats and self.running_mean is not None:
            _follow(self, mean, variance, count)
        outputs: Tensor = _Normalised.apply(
            inputs, self.weight, self.bias, mean, (variance + self.eps).rsqrt(), count, together
        )
        return outputs


def _follow(layer: Any, mean: Tensor, variance: Tensor, count: float) -> None:
    """Move the running statistics of a layer towards those of a batch."""
    with torch.no_grad():
        layer.num_batches_tracked.add_(1)
        factor = 1.0 / float(layer.num_batches_tracked) if layer.momentum is None else layer.momentum
        unbiased = variance * (count / (count - 1))
        for running, value in ((layer.running_mean, mean), (layer.running_var, unbiased)):
            running.lerp_(value.to(running.dtype), factor)


def _statistics(inputs: Tensor, together: _Together) -> tuple[Tensor, Tensor, float]:
    """Return mean and variance of each channel (c,) over all processes, in float64, and the number of values of each.

    Args:
        inputs: (b, c, ...) of this process.

    Raises:
        ValueError: there is but one value.
    """
    channels = inputs.shape[1]
    group = together.group
    told = torch.zeros(group.size, 1 + 2 * channels, dtype=torch.float64, device=inputs.device)
    if not together.share.stands_in:
        variance, mean = torch.var_mean(inputs.double(), _batch_dims(inputs), correction=0)
        told[group.rank] = torch.cat([mean.new_tensor([inputs.numel() / channels]), mean, variance])
    together.add_up(told)
    counts, means, variances = told.split([1, channels, channels], dim=1)
    count = float(counts.sum())
    if count <= 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got {tuple(inputs.shape)}")
    mean = (counts * means).sum(0) / count
    variance = (counts * (variances + (means - mean) ** 2)).sum(0) / count
    return mean, variance, count


def _batch_dims(inputs: Tensor) -> list[int]:
    return [0, *range(2, inputs.ndim)]


def _by_channel(values: Tensor, inputs: Tensor) -> Tensor:
    """Return values (c,) as they are added to inputs (b, c, ...)."""
    return values.to(inputs.dtype).view(1, -1, *[1] * (inputs.ndim - 2))


class _Normalised(torch.autograd.Function):
    """Inputs with mean and deviation taken out, scaled and shifted."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor | None, bias: Tensor | None, *facts: Any) -> Tensor:
        mean, inverse, count, together = facts
        full = inputs.to(torch.promote_types(inputs.dtype, torch.float32))
        normal = (full - _by_channel(mean, full)) * _by_channel(inverse, full)
        ctx.save_for_backward(normal, weight, inverse)
        ctx.count, ctx.dtype, ctx.together = count, inputs.dtype, together
        ctx.weight = 0.0 if together.share.stands_in else together.weighted.weight
        outputs = normal if weight is None else normal * _by_channel(weight, full)
        outputs = outputs if bias is None else outputs + _by_channel(bias, full)
        return outputs.to(inputs.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        normal, weight, inverse = ctx.saved_tensors
        given = gradients[0].to(normal.dtype)
        dims, share = _batch_dims(given), ctx.weight
        sums = torch.stack([given.sum(dims), (given * normal).sum(dims)])
        whole = sums.double() * share if share else torch.zeros_like(sums, dtype=torch.float64)
        ctx.together.add_up(whole)
        of_weight, of_bias = (
            (None, None) if weight is None else (sums[1].to(weight.dtype), sums[0].to(weight.dtype))
        )
        if not share:
            return torch.zeros_like(given, dtype=ctx.dtype), of_weight, of_bias, *[None] * 4
        mean, with_normal = whole / share / ctx.count
        inner = given - _by_channel(mean, given) - normal * _by_channel(with_normal, given)
        scale = inverse if weight is None else inverse * weight.double()
        return (inner * _by_channel(scale, given)).to(ctx.dtype), of_weight, of_bias, *[None] * 4
