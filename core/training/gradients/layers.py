"""Layers whose gradients are computed without autograd: a forward and a backward pass for each, bit for bit the same.

Each calls the kernels that autograd calls, in the same order. A new layer is one more entry of `LAYERS`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, linear

__all__ = ["LAYERS", "Passes"]

aten = torch.ops.aten


@dataclass(frozen=True)
class Passes:
    """The passes of one kind of layer.

    Attributes:
        forward: takes the layer and its inputs (b, n); returns its outputs (b, m), and what `backward` needs of them.
        backward: takes the layer, the gradient of the loss by its outputs, its inputs, what `forward` kept, and whether
            it is the first layer; sets the gradients of the layer's weights, and returns that of its inputs, which
            nobody asks the first layer for.
        fits: returns whether the passes know the settings of a layer.
    """

    forward: Callable[[Any, Tensor], tuple[Tensor, Any]]
    backward: Callable[[Any, Tensor, Tensor, Any, bool], Tensor]
    fits: Callable[[Any], bool] = lambda layer: True


def _linear(layer: nn.Linear, inputs: Tensor) -> tuple[Tensor, None]:
    return linear(inputs, layer.weight, layer.bias), None


def _linear_backward(
    layer: nn.Linear, gradient: Tensor, inputs: Tensor, kept: None, is_first: bool
) -> Tensor:
    layer.weight.grad = gradient.t().mm(inputs)
    if layer.bias is not None:
        layer.bias.grad = gradient.sum(0)
    return gradient if is_first else gradient.mm(layer.weight)


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
    nn.Linear: Passes(_linear, _linear_backward),
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
    nn.BatchNorm1d: Passes(_batch_norm, _batch_norm_backward, _has_statistics),
}
