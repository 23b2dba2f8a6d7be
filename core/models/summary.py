"""What a network consists of: its layers with shapes and parameters, and what a forward pass costs."""

from dataclasses import dataclass
from math import prod

import torch
from torch import nn

from core.errors import ModelError

__all__ = ["Layer", "ModelSummary", "summarise"]


@dataclass(frozen=True)
class Layer:
    """One layer. `output_shape` leaves out the batch."""

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int


@dataclass(frozen=True)
class ModelSummary:
    """All layers; `multiply_adds` of the forward pass of one sample, in linear and convolution layers."""

    layers: tuple[Layer, ...]
    parameters: int
    multiply_adds: int


def summarise(model: nn.Module, sample_shape: tuple[int, ...]) -> ModelSummary:
    """Try `model` on one sample of zeros and note what each leaf layer gives.

    Raises:
        ModelError: the network cannot take a sample of this shape.
    """
    layers: list[Layer] = []
    multiply_adds = 0

    def note(name: str, module: nn.Module, output: torch.Tensor) -> None:
        nonlocal multiply_adds
        shape = tuple(output.shape[1:]) if isinstance(output, torch.Tensor) else ()
        multiply_adds += _multiply_adds(module, prod(shape))
        parameters = sum(weight.numel() for weight in module.parameters())
        layers.append(Layer(name, type(module).__name__, shape, parameters))

    leaves = [(name, module) for name, module in model.named_modules() if not any(module.children())]
    hooks = [
        module.register_forward_hook(lambda module, _, output, name=name: note(name, module, output))
        for name, module in leaves
    ]
    was_training = model.training
    try:
        with torch.no_grad():
            model.eval()(torch.zeros(1, *sample_shape, device=next(model.parameters()).device))
    except RuntimeError as error:
        raise ModelError(
            f"the model does not take samples of shape {'x'.join(map(str, sample_shape))}: {error}"
        ) from None
    finally:
        model.train(was_training)
        for hook in hooks:
            hook.remove()
    parameters = sum(weight.numel() for weight in model.parameters())
    return ModelSummary(tuple(layers), parameters, multiply_adds)


def _multiply_adds(module: nn.Module, outputs: int) -> int:
    """Of one layer that gives `outputs` numbers: each is the sum over one row, or one kernel, of the weights."""
    if isinstance(module, (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)):
        return outputs * module.weight[0].numel()
    return 0
