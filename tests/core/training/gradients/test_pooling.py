"""Max pooling in pairs gives the numbers and positions of PyTorch's kernel."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d

from core.training.gradients.pooling import max_pool, max_pool_backward


def planes(*shape: int) -> Tensor:
    """Few different numbers, so that most windows hold the greatest one several times, and some of a kind."""
    numbers = torch.randint(-2, 3, shape, generator=torch.Generator().manual_seed(0)).float()
    numbers[0, 0] = torch.inf
    numbers[0, 1] = -torch.inf
    return numbers


@pytest.mark.parametrize("shape", [(64, 6, 28, 28), (33, 7, 15, 17), (2, 2, 2, 9000), (2, 2, 4, 4)])
@pytest.mark.parametrize(
    "layer", [nn.MaxPool2d(2), nn.MaxPool2d(2, ceil_mode=True), nn.MaxPool2d((2, 2), (2, 1))]
)
def test_numbers_and_gradients_are_those_of_the_kernel(shape: tuple[int, ...], layer: nn.MaxPool2d) -> None:
    inputs = planes(*shape).requires_grad_()
    outputs = max_pool2d(inputs, 2, layer.stride, ceil_mode=layer.ceil_mode)
    gradient = torch.randn_like(outputs)
    outputs.backward(gradient)
    with torch.no_grad():
        ours, places = max_pool(layer, inputs)
        of_inputs = max_pool_backward(layer, gradient, inputs, places, False)
    assert torch.equal(ours, outputs)
    assert inputs.grad is not None
    assert torch.equal(of_inputs, inputs.grad)
