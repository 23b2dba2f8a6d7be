"""Weights that take no part in a step, which stay as they are: as in one process, they then have no gradient."""

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from core.data.batches import Batch
from core.training.distributed import Group
from core.training.sharding.choice import is_divided
from core.training.step import Step

__all__ = ["leaving_unused"]


def leaving_unused(gradients: Step, network: nn.Module, group: Group) -> Step:
    """Return `gradients`, after which divided weights that no process has used have none.

    Processes may use different weights in a step: where one has no gradient, it adds zeros. They must
    call the same blocks: see `core.training.sharding.path`.
    """
    weights = dict(network.named_parameters())
    numbers = {name: number for number, name in enumerate(weights)}
    used = torch.zeros(len(weights), dtype=torch.float64)
    watched: set[int] = set()

    def note(number: int, weight: Tensor) -> None:
        used[number] = 1.0

    def watch(module: nn.Module, prefix: str) -> None:
        for name, weight in module.named_parameters(prefix):
            if isinstance(weight, DTensor) or id(weight) in watched or not weight.requires_grad:
                continue
            watched.add(id(weight))
            weight.register_post_accumulate_grad_hook(partial(note, numbers[name]))

    for name, module in network.named_modules():
        if is_divided(module):
            _let_others_use(module)
            module.register_forward_pre_hook(lambda module, _, name=name: watch(module, name))

    def step(batch: Batch) -> tuple[Tensor, Any]:
        used.zero_()
        result = gradients(batch)
        sums = group.sum_tensor(used.clone()).tolist()
        for weight, times in zip(weights.values(), sums, strict=True):
            if not times:
                weight.grad = None
        return result

    return step


def _let_others_use(module: nn.Module) -> None:
    """Let a module add zeros for weights without a gradient; earlier versions of PyTorch cannot."""
    allow = getattr(module, "set_reduce_scatter_unused_params", None)
    if allow is not None:
        allow(True, recurse=False)
