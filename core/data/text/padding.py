"""Padding of ids: each batch has as many steps as its longest sequence, whatever lengths the others of train have."""

import torch
from torch import Tensor

__all__ = ["trimmed"]


def trimmed(ids: Tensor, padding: int, least: int = 1) -> Tensor:
    """Return ids (b, length) up to the last step that one of them has.

    Args:
        padding: the id that fills short sequences.
        least: steps that are left at least, as far as there are so many.
    """
    there = (ids != padding).any(dim=0)
    steps = torch.arange(1, len(there) + 1, device=ids.device)
    longest = int((steps * there).max()) if len(there) else 0
    return ids[:, : max(least, longest)]
