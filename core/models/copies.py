"""Copies of a network; one that cannot be copied is built anew with the same weights.

A lock, a generator or an open file cannot be copied, and neither can an activation that a network has kept.
"""

import copy
from collections.abc import Callable
from weakref import WeakKeyDictionary

import torch
from torch import nn

from core.errors import ModelError
from core.random_state import keeping_random_state

__all__ = ["copied", "copied_or_built", "remember_builder"]

_builders: WeakKeyDictionary[nn.Module, Callable[[], nn.Module]] = WeakKeyDictionary()


def remember_builder(model: nn.Module, build: Callable[[], nn.Module]) -> None:
    """Note how a network is built, for when a copy of it is needed and cannot be made."""
    _builders[model] = build


def copied(model: nn.Module) -> nn.Module:
    """Return a copy of `model`, on its device and in its mode; where it cannot be copied, one built anew.

    Draws no random numbers that training would draw.

    Raises:
        ModelError: neither works.
    """
    return copied_or_built(model)[0]


def copied_or_built(model: nn.Module) -> tuple[nn.Module, str]:
    """Return what `copied` does, and why the model could not be copied; empty for a copy.

    Raises:
        ModelError: it could be neither copied nor built anew.
    """
    try:
        made = copy.deepcopy(model)
        if all(weight.is_leaf for weight in made.parameters()):  # those of a copied scripted module are none
            return made, ""
        reason = "the copies of its weights cannot be trained"
    except Exception as error:  # whatever the objects that a network holds raise
        reason = _first_line(error)
    build = _builders.get(model)
    if build is None:
        raise ModelError(f"the model cannot be copied: {reason}")
    return _built_anew(model, build), reason


def _built_anew(model: nn.Module, build: Callable[[], nn.Module]) -> nn.Module:
    weight = next(model.parameters(), torch.empty(0))
    with keeping_random_state(weight.device):
        try:
            made = build().to(weight.device).train(model.training)
            made.load_state_dict(model.state_dict())
            remember_builder(made, build)
        except Exception as error:  # such as a file that has changed since
            raise ModelError(
                f"the model can be neither copied nor built anew: {_first_line(error)}"
            ) from None
    return made


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
