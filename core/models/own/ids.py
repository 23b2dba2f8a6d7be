"""Ids for networks that look them up: whole numbers stay as they are, as in a loop of one's own."""

from dataclasses import replace

import torch
from torch import nn

from core.data.dataset import Dataset
from core.errors import ModelError

__all__ = ["looks_up", "with_ids"]

SAMPLES = 2


def looks_up(network: nn.Module) -> bool:
    """Return whether a network has tables of embeddings."""
    return any(isinstance(module, nn.Embedding | nn.EmbeddingBag) for module in network.modules())


def with_ids(network: nn.Module, data: Dataset) -> Dataset:
    """Return data whose whole numbers a network gets as int64 if it looks them up, or if they shall not be scaled.

    Raises:
        ModelError: they were changed already.
    """
    if not data.whole:
        return data
    unscaled = not bool(data.mean.any()) and bool((data.std == 1).all())
    if (looks_up(network) or unscaled) and _takes_ids(network, data.sample_shape):
        if data.conditioning is not None:
            raise ModelError(
                "data.scaling: the network looks whole numbers up, and heavy tails of this data's are clipped",
                "Set data.scaling to none",
            )
        note = "inputs: whole numbers reach the network as they are, as int64"
        mean, std = torch.zeros_like(data.mean), torch.ones_like(data.std)
        return replace(data, ids=True, mean=mean, std=std, notes=(*data.notes, note))
    if unscaled:
        return data
    note = "inputs: whole numbers are standardised; data.scaling=none gives ids as they are, as int64"
    return replace(data, notes=(*data.notes, note))


def _takes_ids(network: nn.Module, sample_shape: tuple[int, ...]) -> bool:
    """Try a network on ids of 0, without a trace in the random state."""
    was_training = network.training
    weight = next(network.parameters(), None)
    device = weight.device if weight is not None else None
    try:
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            network.eval()(torch.zeros(SAMPLES, *sample_shape, dtype=torch.int64, device=device))
    except Exception:  # a network that does not fit fails with whatever its layers raise
        return False
    finally:
        network.train(was_training)
    return True
