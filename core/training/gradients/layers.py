"""Layers whose gradients are computed without autograd: a forward and a backward pass for each, bit for bit the same.

Each calls the kernels that autograd calls, in the same order. A new layer is one more entry of `LAYERS`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, gelu, linear

from core.training.gradients.pooling import max_pool, max_pool_backward

__all__ = ["LAYERS", "Passes"]

aten = torch.ops.aten


@dataclass(frozen=True)
class Passes:
    """The passes of one kind of layer.

    Attributes:
        forward: takes the layer and its inputs (b, ...); returns its outputs (b, ...), and what `backward`
            needs of them.
        backward: takes the layer, the gradient of the loss by its outputs, its inputs, what `forward` kept, and whether
            it is the first layer; sets the gradients of the layer's weights, and returns that of its inputs, which
            nobody asks the first layer for.
        fits: returns whether the passes know the settings of a layer.
        takes: what its inputs must be: rows (b, n) or images (b, channels, height, width); empty for any of them.
    """

    forward: Callable[[Any, Tensor], tuple[Tensor, Any]]
    backward: Callable[[Any, Tensor, Tensor, Any, bool], Tensor]
    fits: Callable[[Any], bool] = lambda layer: True
    takes: Literal["rows", "images", ""] = ""


def _linear(layer: nn.Linear, inputs: Tensor) -> tuple[Tensor, None]:
    return linear(inputs, layer.weight, layer.bias), None


def _linear_backward(
    layer: nn.Linear, gradient: Tensor, inputs: Tensor, kept: None, is_first: bool
) -> Tensor:
    layer.weight.grad = gradient.t().mm(inputs)
    if layer.bias is not None:
        layer.bias.grad = gradient.sum(0)
    return gradient if is_first else gradient.mm(layer.weight)


def _convolution(layer: nn.Conv2d, inputs: Tensor) -> tuple[Tensor, None]:
    settings: Any = layer.stride, layer.padding, layer.dilation, layer.groups
    return conv2d(inputs, layer.weight, layer.bias, *settings), None


def _convolution_backward(
    layer: nn.Conv2d, gradient: Tensor, inputs: Tensor, kept: None, is_first: bool
) -> Tensor:
    biases = None if layer.bias is None else [layer.out_channels]
    of_inputs: Tensor
    of_inputs, layer.weight.grad, of_bias = aten.convolution_backward.default(
        *(gradient, inputs, layer.weight, biases, layer.stride, layer.padding, layer.dilation),
        *(False, [0, 0], layer.groups, [not is_first, True, biases is not None]),
    )
    if layer.bias is not None:
        layer.bias.grad = of_bias
    return of_inputs


def _is_zero_padded(layer: nn.Conv2d) -> bool:
    return layer.padding_mode == "zeros" and not isinstance(layer.padding, str)


def _flatten(layer: nn.Flatten, inputs: Tensor) -> tuple[Tensor, None]:
    return inputs.flatten(1), None


def _dropout(layer: nn.Dropout, inputs: Tensor) -> tuple[Tensor, Tensor]:
    kept = torch.empty_like(inputs).bernoulli_(1 - layer.p).div_(1 - layer.p)
    return inputs * kept, kept


def _batch_norm(layer: nn.BatchNorm1d, inputs: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    assert layer.num_batches_tracked is not None
    layer.num_batches_tracked.add_(1)
    outputs, mean, deviation = torch.native_batch_norm(
        *(inputs, layer.weight, layer.bias, layer.running_mean, layer.running_var),
        training=True,
        momentum=layer.momentum,  # type: ignore[arg-type]  # not None, see `_has_statistics`
        eps=layer.eps,
    )
    return outputs, (mean, deviation)


def _batch_norm_backward(
    layer: nn.BatchNorm1d, gradient: Tensor, inputs: Tensor, kept: tuple[Tensor, Tensor], is_first: bool
) -> Tensor:
    of_inputs: Tensor
    of_inputs, layer.weight.grad, layer.bias.grad = aten.native_batch_norm_backward(
        *(gradient, inputs, layer.weight, layer.running_mean, layer.running_var, *kept),
        *(True, layer.eps, [True, True, True]),
    )
    return of_inputs


def _has_statistics(layer: nn.BatchNorm1d) -> bool:
    return layer.affine and layer.track_running_stats and layer.momentum is not None


LAYERS: Final[Mapping[type[nn.Module], Passes]] = {
    nn.Linear: Passes(_linear, _linear_backward, takes="rows"),
    nn.Conv2d: Passes(_convolution, _convolution_backward, _is_zero_padded, "images"),
    nn.MaxPool2d: Passes(max_pool, max_pool_backward, lambda layer: not layer.return_indices, "images"),
    nn.Flatten: Passes(
        _flatten,
        lambda layer, gradient, inputs, kept, is_first: gradient.view(inputs.shape),
        lambda layer: (layer.start_dim, layer.end_dim) == (1, -1),
    ),
    nn.ReLU: Passes(
        lambda layer, inputs: (inputs.relu(), None),
        lambda layer, gradient, inputs, kept, is_first: aten.threshold_backward(gradient, inputs, 0),
    ),
    nn.Tanh: Passes(
        lambda layer, inputs: 2 * (inputs.tanh(),),
        lambda layer, gradient, inputs, kept, is_first: aten.tanh_backward(gradient, kept),
    ),
    nn.Sigmoid: Passes(
        lambda layer, inputs: 2 * (inputs.sigmoid(),),
        lambda layer, gradient, inputs, kept, is_first: aten.sigmoid_backward(gradient, kept),
    ),
    nn.GELU: Passes(
        lambda layer, inputs: (gelu(inputs, approximate=layer.approximate), None),
        lambda layer, gradient, inputs, kept, is_first: aten.gelu_backward(
            gradient, inputs, approximate=layer.approximate
        ),
    ),
    nn.Dropout: Passes(
        _dropout,
        lambda layer, gradient, inputs, kept, is_first: gradient * kept,
        lambda layer: 0 < layer.p < 1 and not layer.inplace,
    ),
    nn.BatchNorm1d: Passes(_batch_norm, _batch_norm_backward, _has_statistics, "rows"),
}
