"""Steps that a network of the user's own needs: some convolutions, and layers for one length, fail on short texts."""

from dataclasses import replace

import torch
from torch import nn

from core.data.dataset import Dataset
from core.data.inputs import Inputs, zero_inputs
from core.models.own.calling import call_network
from core.models.own_step import has_own_step

__all__ = ["with_length"]

SAMPLES = 2


def with_length(network: nn.Module, data: Dataset) -> Dataset:
    """Return data whose batches of filled ids have at least as many steps as a network takes.

    That is the least power of two, or the length of the longest sequence.
    """
    if data.padding is None or data.min_length > 1:
        return data
    least = _least(network, data)
    if least == 1:
        return data
    reason = "one length" if least == data.longest else f"{least} steps or more"
    note = f"inputs: short batches are padded to {least} steps, as the network takes {reason}"
    return replace(data, min_length=least, notes=(*data.notes, note))


def _least(network: nn.Module, data: Dataset) -> int:
    if has_own_step(network):
        return data.longest
    steps = 1
    while steps < data.longest and not _takes(network, data, steps):
        steps *= 2
    return min(steps, data.longest)


def _takes(network: nn.Module, data: Dataset, steps: int) -> bool:
    """Try a network on sequences of so many steps, without a trace in its state or the random state."""
    training = {module: module.training for module in network.modules()}
    try:
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            call_network(network.eval(), _zeros(network, data, steps))
    except Exception:  # a network that does not fit fails with whatever its layers raise
        return False
    finally:
        for module, was_training in training.items():
            module.training = was_training
    return True


def _zeros(network: nn.Module, data: Dataset, steps: int) -> Inputs:
    weight = next(network.parameters(), None)
    device = None if weight is None else weight.device
    if not data.fields:
        return zero_inputs((steps,), SAMPLES, ids=True, device=device)
    text, *others = data.fields
    return zero_inputs((), SAMPLES, (replace(text, shape=(steps,)), *others), device=device)
