"""Gradients written out, without autograd, and nothing counted: what PyTorch's kernels take by themselves."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

aten = torch.ops.aten


def prepare(
    inputs: Tensor, targets: Tensor, model: nn.Module, batch_size: int, lr: float
) -> Callable[[], None]:
    """See `benchmarks.libraries`."""
    layers, weights = list(model.children()), list(model.parameters())
    trained = layers[1:] if isinstance(layers[0], nn.Flatten) else layers

    @torch.no_grad()
    def epoch() -> None:
        for batch in torch.randperm(len(inputs)).split(batch_size):
            seen: list[Tensor] = [inputs.index_select(0, batch)]
            places: list[Tensor] = []
            for layer in layers:
                seen.append(_outputs(layer, seen[-1], places))
            gradient = _of_cross_entropy(seen.pop(), targets.index_select(0, batch))
            gradients: list[Tensor] = []
            for layer in reversed(trained):
                gradient, *of_weights = _gradient(layer, gradient, seen.pop(), places, layer is trained[0])
                gradients += of_weights
            torch._foreach_add_(weights, gradients[::-1], alpha=-lr)

    return epoch


def _outputs(layer: Any, inputs: Tensor, places: list[Tensor]) -> Tensor:
    if isinstance(layer, nn.ReLU):
        return inputs.relu_()  # its sign is all that is asked for
    if isinstance(layer, nn.MaxPool2d):
        outputs, where = aten.max_pool2d_with_indices.default(inputs, [2, 2])
        places.append(where)
        return outputs
    return layer(inputs)


def _of_cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:
    """The gradient of the mean cross-entropy."""
    gradient = outputs.softmax(1)
    gradient[torch.arange(len(targets)), targets] -= 1
    return gradient.div_(len(targets))


def _gradient(
    layer: Any, gradient: Tensor, inputs: Tensor, places: list[Tensor], is_first: bool
) -> list[Tensor]:
    """The gradients by the inputs, which nobody asks the first layer for, the bias and the weight of a layer."""
    if isinstance(layer, nn.Linear):
        of_inputs = gradient if is_first else gradient.mm(layer.weight)
        return [of_inputs, gradient.sum(0), gradient.t().mm(inputs)]
    if isinstance(layer, nn.Conv2d):
        settings = layer.stride, layer.padding, layer.dilation, False, [0, 0], layer.groups
        wanted = [not is_first, True, True]
        of_inputs, of_weight, of_bias = aten.convolution_backward.default(
            gradient, inputs, layer.weight, [layer.out_channels], *settings, wanted
        )
        return [of_inputs, of_bias, of_weight]
    if isinstance(layer, nn.MaxPool2d):
        shapes = [2, 2], [2, 2], [0, 0], [1, 1], False
        return [aten.max_pool2d_with_indices_backward.default(gradient, inputs, *shapes, places.pop())]
    return [gradient * (inputs > 0)] if isinstance(layer, nn.ReLU) else [gradient.view(inputs.shape)]
