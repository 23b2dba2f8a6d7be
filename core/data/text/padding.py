"""Padding of ids: each batch has as many steps as its longest sequence, whatever lengths the others of train have."""

import torch
from torch import Tensor

__all__ = ["lengths"]

ROWS_AT_ONCE = 1 << 12


def lengths(ids: Tensor, padding: int) -> Tensor:
    """Return the number of steps (n,) of sequences of ids (n, length), without those that only fill them.

    Args:
        padding: the id that fills short sequences.
    """
    steps = torch.arange(1, ids.shape[1] + 1, dtype=torch.int32)
    parts = (
        [((some != padding) * steps).amax(dim=1) for some in ids.split(ROWS_AT_ONCE)] if len(steps) else []
    )
    return torch.cat(parts) if parts else torch.zeros(len(ids), dtype=torch.int32)
