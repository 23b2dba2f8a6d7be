"""Outputs of a user's network in the forms that people return them in, as the tensor that losses take."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torch.jit import ScriptModule
from torch.utils.hooks import RemovableHandle

from core.models.own_step import has_own_step

__all__ = ["as_tensor", "unwrap_outputs"]


def as_tensor(returned: Any, outputs: int) -> Any:
    """Return the tensor (b, outputs) in what a network returned; whatever else it is as it is.

    That tensor is the entry or the attribute ``logits``, as Hugging Face's models have. Of shape (b,) it is one number
    for each sample; for two classes this is the logit of the second one, and the first one's is 0.
    """
    tensor = returned.get("logits") if isinstance(returned, Mapping) else getattr(returned, "logits", None)
    tensor = tensor if isinstance(tensor, Tensor) else returned
    if not isinstance(tensor, Tensor):
        return returned
    if tensor.ndim < 2 and outputs <= 2:
        tensor = tensor.reshape(
            -1, 1
        )  # squeeze() leaves no dimension of a single sample, in exported graphs too
    if outputs == 2 and tensor.ndim == 2 and tensor.shape[1] == 1:
        return nn.functional.pad(tensor, (1, 0))
    return tensor


def unwrap_outputs(model: nn.Module, outputs: int) -> None:
    """Let a network return what `as_tensor` makes of its outputs, wherever it is called.

    Its first call shows whether it needs that; if not, all others run as if nothing had been asked.
    """
    if isinstance(model, ScriptModule) or has_own_step(model):
        return  # the one takes no hooks, the outputs of the other are its own affair
    handles: list[RemovableHandle] = []

    def unwrap(module: nn.Module, inputs: Any, returned: Any) -> Any:
        tensor = as_tensor(returned, outputs)
        if handles:
            first = handles.pop()
            if tensor is returned:
                first.remove()
        return tensor

    handles.append(model.register_forward_hook(unwrap))
