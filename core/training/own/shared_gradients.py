"""Gradients of several processes added up explicitly, for networks that are not called as a whole."""

from collections.abc import Sequence

import torch
import torch.distributed as dist
from torch import nn

from core.training.distributed import Share

__all__ = ["sum_gradients"]


def sum_gradients(weights: Sequence[nn.Parameter], share: Share) -> None:
    """Turn the gradients of each process's mean loss into those of the mean over the whole step, in place.

    A weight gets a gradient if it has one in any process.

    Args:
        weights: the same in each process.
        share: what this process takes of the step's samples.
    """
    trained = [weight for weight in weights if weight.requires_grad]
    own = [weight.grad for weight in trained]
    holders = torch.tensor([float(gradient is not None) for gradient in own], device=trained[0].device)
    dist.all_reduce(holders)
    for dtype in dict.fromkeys(weight.dtype for weight in trained):
        places = [place for place, weight in enumerate(trained) if weight.dtype == dtype]
        parts = [_scaled(trained[place], own[place], share) for place in places]
        summed = torch.cat(parts)
        dist.all_reduce(summed)
        for place, part in zip(places, summed.split([len(part) for part in parts]), strict=True):
            if holders[place] > 0:
                trained[place].grad = part.view_as(trained[place])


def _scaled(weight: nn.Parameter, gradient: torch.Tensor | None, share: Share) -> torch.Tensor:
    return (
        (torch.zeros_like(weight) if gradient is None else share.scale(gradient.clone())).detach().flatten()
    )
