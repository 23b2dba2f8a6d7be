"""What a network consists of: its layers with shapes and parameters, and what a forward pass costs."""

from dataclasses import dataclass

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
    """All layers; `multiply_adds` of the forward pass of one sample, of matrix products and convolutions."""

    layers: tuple[Layer, ...]
    parameters: int
    multiply_adds: int


def summarise(model: nn.Module, sample_shape: tuple[int, ...]) -> ModelSummary:
    """Try `model` on one sample of zeros and note what each leaf layer gives.

    Raises:
        ModelError: the network cannot take a sample of this shape.
    """
    from torch.utils.flop_counter import FlopCounterMode

    layers: list[Layer] = []

    def note(name: str, module: nn.Module, output: torch.Tensor) -> None:
        shape = tuple(output.shape[1:]) if isinstance(output, torch.Tensor) else ()
        parameters = sum(weight.numel() for weight in module.parameters())
        layers.append(Layer(name, type(module).__name__, shape, parameters))

    leaves = [(name, module) for name, module in model.named_modules() if not any(module.children())]
    hooks = [
        module.register_forward_hook(lambda module, _, output, name=name: note(name, module, output))
        for name, module in leaves
    ]
    was_training = model.training
    try:
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
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
    return ModelSummary(tuple(layers), parameters, counter.get_total_flops() // 2)
