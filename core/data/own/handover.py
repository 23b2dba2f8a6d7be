"""Arrays and lists that a user's function made and nobody else holds: these may be changed where they lie."""

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.data.sequences import Ragged
from core.torch_private import storage_holders

__all__ = ["are_handed_over", "is_alone", "lists_alone", "may_be_handed_over"]


def may_be_handed_over(inputs: Any) -> bool:
    """Return whether inputs, before they become arrays, have memory of their own: none that NumPy lent to PyTorch."""
    if isinstance(inputs, Tensor):
        return inputs.device.type == "cpu" and inputs.layout is torch.strided and _is_own(inputs)
    if isinstance(inputs, Mapping | tuple):
        return all(map(may_be_handed_over, inputs.values() if isinstance(inputs, Mapping) else inputs))
    return isinstance(inputs, np.ndarray | list)  # lists become new arrays


def are_handed_over(pair: tuple[Any, ...]) -> bool:
    """Return whether a pair holds the only reference to its inputs, and to the memory they lie in."""
    if isinstance(pair[0], Mapping):
        return all(isinstance(pair[0][name], Ragged) or is_alone(pair[0], name) for name in pair[0])
    return is_alone(pair, 0)


def lists_alone(holder: Any, key: Any = 0) -> frozenset[int]:
    """Return the ids of the lists in ``holder[key]`` that nothing else refers to, nor to what they lie in."""
    if _held(holder, key) > _held([[]], 0):
        return frozenset()
    held = holder[key]
    if isinstance(held, list):
        return frozenset((id(held),))
    if not isinstance(held, tuple | dict):
        return frozenset()
    places = held if isinstance(held, dict) else range(len(held))
    return frozenset().union(*(lists_alone(held, place) for place in places))


def is_alone(holder: Any, key: Any) -> bool:
    """Return whether ``holder[key]`` is the only reference to an array, and to the memory it lies in."""
    if not isinstance(holder[key], np.ndarray) or isinstance(holder[key], np.memmap):
        return False
    return _held(holder, key) <= _held([np.empty(1)], 0) and _is_memory_alone(holder[key])


def _is_own(tensor: Tensor) -> bool:
    storage = tensor.untyped_storage()
    return bool(storage.resizable()) and storage.nbytes() == tensor.nbytes


def _held(holder: Any, key: Any) -> int:
    return sys.getrefcount(holder[key])


def _is_memory_alone(array: np.ndarray) -> bool:
    """Return whether an array has its own memory, or that of an array or a tensor which only it refers to."""
    base: Any = array.base
    if array.flags.owndata:
        return True
    if isinstance(base, np.ndarray):
        view = np.empty(1)[:]
        probe = view.base
        lent = base.flags.owndata and base.nbytes == array.nbytes
        return lent and sys.getrefcount(base) <= sys.getrefcount(probe)
    if isinstance(base, Tensor):
        usual = storage_holders(torch.empty(1))
        return usual is not None and storage_holders(base) == usual
    return False
