"""States of the random generators that training draws from."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

__all__ = ["keeping_random_state", "rng_state", "seed_torch", "set_rng_state"]


def rng_state(device: torch.device) -> dict[str, Tensor]:
    """The states now, by kind of device; tensors in main memory."""
    state = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    elif device.type == "mps":
        state["mps"] = torch.mps.get_rng_state()
    return state


def set_rng_state(state: dict[str, Tensor], device: torch.device) -> None:
    """Restore states that `rng_state` returned; those of another kind of device are skipped."""
    torch.set_rng_state(state["cpu"])
    if device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"], device)
    elif device.type == "mps" and "mps" in state:
        torch.mps.set_rng_state(state["mps"])


def seed_torch(seed: int) -> None:
    """Seed PyTorch's generators of all devices.

    For each kind of device that has not been used, PyTorch keeps a seed with the stack of its caller. That is left
    out where there is no such device.
    """
    if torch.accelerator.is_available():
        torch.manual_seed(seed)
    else:
        torch.default_generator.manual_seed(seed)


@contextmanager
def keeping_random_state(device: torch.device) -> Iterator[None]:
    """Context manager that restores the random states of PyTorch, NumPy and Python: a network may draw from any."""
    state, numpy, python = rng_state(device), np.random.get_state(), random.getstate()
    try:
        yield
    finally:
        set_rng_state(state, device)
        np.random.set_state(numpy)
        random.setstate(python)
