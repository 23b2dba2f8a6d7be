"""FSDP: each process keeps a part of all weights, gradients and optimizer state; blocks are gathered to compute.

Zhao et al. 2023, "PyTorch FSDP: Experiences on Scaling Fully Sharded Data Parallel"; by PyTorch's `fully_shard`, which
takes two seconds to import.
"""

from collections.abc import Sequence

import torch
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.optim import Optimizer

from core.training.distributed import Group

__all__ = ["choose_kernels", "divide"]

FUSED = (torch.optim.Adam, torch.optim.AdamW)
"""Optimizers whose fused kernels take divided weights."""


def divide(network: nn.Module, blocks: Sequence[nn.Module], device: torch.device, group: Group) -> None:
    """Divide the weights of `network` among the processes of `group`, in place, and move what is left to `device`.

    Each of `blocks` is gathered alone, when it is called; the rest together, for the whole pass. Gradients are summed:
    the loss of each process is to be weighted by its share of the step.
    """
    mesh = init_device_mesh(device.type, (group.size,))
    for weight in network.parameters():
        weight.data = weight.data.contiguous()
    for module in (*blocks, network):
        fully_shard(module, mesh=mesh, reshard_after_forward=True)
        assert isinstance(module, FSDPModule)
        module.set_gradient_divide_factor(1.0)
        module.set_force_sum_reduction_for_comms(True)


def choose_kernels(optimizer: Optimizer) -> None:
    """Let an optimizer use the fastest kernels that take divided weights."""
    for group in optimizer.param_groups:
        if not isinstance(optimizer, FUSED):
            group["fused"] = None
        if not group.get("fused") and "foreach" in group:
            group["foreach"] = True
