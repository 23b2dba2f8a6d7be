"""Fused kernels of optimizers are left where the gradients do not suit them."""

import torch
from torch import nn

from core.optimizers.fused import leave_fused_if_unfit


def moved(*, fused: bool, resumed: bool) -> tuple[list[float], bool]:
    """Return weights after three steps, in the first of which one has no gradient; and whether the kernel was fused."""
    weights = [nn.Parameter(torch.ones(3)) for _ in range(2)]
    optimizer = torch.optim.SGD(weights, lr=0.1, momentum=0.9, dampening=0.5, fused=fused)
    for step in range(3):
        weights[0].grad = torch.full((3,), 1.0)
        weights[1].grad = torch.full((3,), 2.0) if step else None
        if not step or (resumed and step == 1):
            leave_fused_if_unfit(optimizer)
        optimizer.step()
        if resumed and step == 0:
            state = optimizer.state_dict()
            optimizer = torch.optim.SGD(weights, lr=0.1, momentum=0.9, dampening=0.5, fused=fused)
            optimizer.load_state_dict({**state, "param_groups": optimizer.state_dict()["param_groups"]})
    return [float(weight.detach()[0]) for weight in weights], bool(optimizer.param_groups[0]["fused"])


def test_a_weight_may_have_its_first_gradient_later_than_others() -> None:
    usual, _ = moved(fused=False, resumed=False)
    for resumed in (False, True):
        weights, is_fused = moved(fused=True, resumed=resumed)
        assert torch.allclose(torch.tensor(weights), torch.tensor(usual))
        assert not is_fused


def test_the_kernel_stays_fused_where_all_weights_have_gradients() -> None:
    weight = nn.Parameter(torch.ones(3))
    for momentum in (0.0, 0.9):
        optimizer = torch.optim.SGD([weight], lr=0.1, momentum=momentum, fused=True)
        weight.grad = torch.ones(3)
        leave_fused_if_unfit(optimizer)
        optimizer.step()
        leave_fused_if_unfit(optimizer)
        assert optimizer.param_groups[0]["fused"]
