"""Test that the state of a network can be saved and taken back."""

import io
from typing import Any

import torch
from torch import Tensor

from core.errors import ModelError
from core.session.preflight.finding import Finding, failed
from core.session.preflight.trial import Trial

__all__ = ["saved_state"]


def saved_state(trial: Trial) -> Finding:
    """Save the state but for the content of its tensors, read it as a checkpoint is read, and give it back."""
    name = "state is saved and restored"
    model = trial.learner.model
    state = model.state_dict()
    for key, value in state.items():
        try:
            file = io.BytesIO()
            torch.save(_without_tensors(value), file)
            file.seek(0)
            torch.load(file, weights_only=True)
        except Exception:  # whatever pickle raises for an object it cannot write or may not read
            return failed(
                name,
                ModelError(
                    f"{key} of the network's state holds what a checkpoint cannot give back without running code",
                    "Return tensors, numbers, text, lists and dicts from get_extra_state",
                ),
            )
    try:
        model.load_state_dict(state)
    except Exception as error:  # such as a network that only has get_extra_state
        reason = str(error).strip().partition("\n")[0]
        return failed(name, ModelError(f"the network does not take back its own state: {reason}"))
    return Finding(name)


def _without_tensors(value: Any) -> Any:
    """Return a nested value with all its tensors empty; other objects as they are."""
    if isinstance(value, Tensor):
        return torch.empty(0)
    if type(value) is dict:
        return {key: _without_tensors(each) for key, each in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(_without_tensors, value))
    return value
