"""Fused kernels of optimizers, and the networks that do without them."""

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch.optim import Optimizer

__all__ = ["leave_fused_if_sparse", "why_not_fused"]


def leave_fused_if_sparse(optimizer: "Optimizer") -> None:
    """Let an optimizer move its weights by its other kernels if some gradients, which are there, are sparse."""
    gradients = [weight.grad for group in optimizer.param_groups for weight in group["params"]]
    if any(gradient is not None and gradient.layout != torch.strided for gradient in gradients):
        for group in optimizer.param_groups:
            if group.get("fused"):
                group["fused"] = None  # PyTorch's own choice


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
