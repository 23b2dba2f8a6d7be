"""Max pooling of neighbouring pairs, and the positions of the greatest numbers, as PyTorch's kernel gives them."""

import torch
from torch import Tensor, nn

__all__ = ["max_pool", "max_pool_backward"]

aten = torch.ops.aten
MIN_NUMBERS, MAX_NUMBERS = 1 << 15, 1 << 22
"""Inputs that pairs are faster for: too few are done before a few kernels have been called, too many fill the cache."""


def max_pool(layer: nn.MaxPool2d, inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Return the greatest number of each window of inputs (b, channels, height, width), and where in its plane it is.

    PyTorch's kernel looks at one number after the other. Windows of 2x2 that lie beside each other are compared with
    vector instructions, which takes a third of the time.
    """
    numbers = inputs.numel()
    if _is_in_pairs(layer) and inputs.is_contiguous() and MIN_NUMBERS <= numbers <= MAX_NUMBERS:
        return _greatest_of_four(inputs)
    outputs, places = aten.max_pool2d_with_indices.default(inputs, *_windows(layer), layer.ceil_mode)
    return outputs, places


def max_pool_backward(
    layer: nn.MaxPool2d, gradient: Tensor, inputs: Tensor, places: Tensor, is_first: bool
) -> Tensor:
    """Return the gradient of the inputs: that of each window belongs to its greatest number."""
    of_inputs: Tensor = aten.max_pool2d_with_indices_backward.default(
        gradient, inputs, *_windows(layer), layer.ceil_mode, places
    )
    return of_inputs


def _greatest_of_four(inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Of equal numbers the first one is meant, row by row."""
    height, width = inputs.shape[-2] // 2, inputs.shape[-1] // 2
    corners = (
        inputs[..., row : 2 * height : 2, column : 2 * width : 2] for row in (0, 1) for column in (0, 1)
    )
    first, second, third, fourth = (corner.contiguous() for corner in corners)
    upper, lower = torch.maximum(first, second), torch.maximum(third, fourth)
    outputs = torch.maximum(upper, lower)
    # in float32, which holds these integers exactly, so that nothing is converted between
    upper_right = torch.gt(second, first, out=first)
    lower_right = torch.gt(fourth, third, out=third)
    is_lower = torch.gt(lower, upper, out=lower)
    right = upper_right.addcmul_(lower_right.sub_(upper_right), is_lower)
    line = inputs.shape[-1]
    rows = torch.arange(height, dtype=torch.float32).mul_(2 * line)
    corner = rows[:, None] + torch.arange(width, dtype=torch.float32).mul_(2)
    return outputs, right.add_(is_lower, alpha=line).add_(corner).long()


def _is_in_pairs(layer: nn.MaxPool2d) -> bool:
    kernel, stride, padding, dilation = _windows(layer)
    return [kernel, stride, padding, dilation, layer.ceil_mode] == [[2, 2], [2, 2], [0, 0], [1, 1], False]


def _windows(layer: nn.MaxPool2d) -> list[list[int]]:
    """Size, stride, padding and dilation of the windows, by height and width."""
    sizes = layer.kernel_size, layer.stride, layer.padding, layer.dilation
    return [[size, size] if isinstance(size, int) else list(size) for size in sizes]
