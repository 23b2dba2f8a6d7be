"""Memory that a trial needs, as an estimate, and how many trials the machine has memory for."""

from math import prod
from typing import TYPE_CHECKING

from core.data.mapped import HeldRows
from core.machine import memory

if TYPE_CHECKING:
    from core.data.dataset import Dataset
    from core.models.summary import ModelSummary

__all__ = ["PROCESS_BYTES", "estimate", "slots_that_fit"]

PROCESS_BYTES = 300 << 20
"""A worker's own memory before it has data: measured on Linux, where workers share what they have imported."""
COPIES = 8
"""Of each parameter: weights, gradient, two moments, the best weights, and a checkpoint that is being written."""
KEPT = 2
"""Training keeps the value and the gradient of each layer's output."""
BYTES = 4


def estimate(data: "Dataset", summary: "ModelSummary", batch_size: int) -> int:
    """Return the bytes that a process needs to train a network, its data included unless they stay on disk."""
    import torch

    arrays = [array for split in data.splits.values() for array in (split.inputs, split.targets)]
    resident = sum(array.nbytes for array in arrays if isinstance(array, torch.Tensor | HeldRows))
    outputs = sum(prod(layer.output_shape) for layer in summary.layers)
    state = BYTES * COPIES * summary.parameters
    return PROCESS_BYTES + resident + state + BYTES * KEPT * batch_size * outputs


def slots_that_fit(slots: int, trial_bytes: int) -> int:
    """Return how many trials at once fit into the memory that is free now: at least 1, at most `slots`.

    Args:
        trial_bytes: of one, such as from `estimate`; 0 when unknown.
    """
    return max(1, min(slots, memory().available // (trial_bytes or PROCESS_BYTES)))
