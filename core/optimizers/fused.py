"""Fused kernels of optimizers, and the networks that do without them."""

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch.optim import Optimizer

__all__ = ["leave_fused_if_unfit", "why_not_fused"]


def leave_fused_if_unfit(optimizer: "Optimizer") -> None:
    """Let an optimizer move its weights by its other kernels if its first gradients do not suit the fused ones.

    Some are sparse, or weights have none, as in a network that does not always call all of its layers: the fused
    kernel of SGD takes velocities of all weights or of none.
    """
    gradients = [weight.grad for group in optimizer.param_groups for weight in group["params"]]
    sparse = any(gradient is not None and gradient.layout != torch.strided for gradient in gradients)
    if sparse or not _begins_at_once(optimizer):
        for group in optimizer.param_groups:
            if group.get("fused"):
                group["fused"] = None  # PyTorch's own choice


def _begins_at_once(optimizer: "Optimizer") -> bool:
    """Return whether the velocities that SGD keeps are there for all weights or for none, from this step on."""
    weights = [
        weight
        for group in optimizer.param_groups
        for weight in group["params"]
        if group.get("momentum") and weight.requires_grad
    ]
    moving = {optimizer.state.get(weight, {}).get("momentum_buffer") is not None for weight in weights}
    return moving == {True} or (len(moving) < 2 and all(weight.grad is not None for weight in weights))


def why_not_fused(optimizer: "Optimizer") -> str:
    """Return why an optimizer that has fused kernels does not use them; empty if it does, or has none.

    Sparse gradients are seen after a step.
    """
    if all(group.get("fused", True) for group in optimizer.param_groups):
        return ""
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    if any(weight.is_complex() for weight in weights):
        return "complex weights"
    gradients = [weight.grad for weight in weights if weight.grad is not None]
    return "sparse gradients" if any(each.layout != torch.strided for each in gradients) else ""
