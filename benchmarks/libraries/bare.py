"""The least that trains: tensors in memory, indexed by a permutation; nothing is counted."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy


def prepare(
    inputs: Tensor, targets: Tensor, model: nn.Module, batch_size: int, lr: float, precision: str = "fp32"
) -> Callable[[], None]:
    """See `benchmarks.libraries`."""
    device = next(model.parameters()).device
    inputs, targets = inputs.to(device), targets.to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)

    def epoch() -> None:
        order = torch.randperm(len(inputs), device=device)
        for start in range(0, len(inputs), batch_size):
            batch = order[start : start + batch_size]
            optimizer.zero_grad()
            with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
                loss = cross_entropy(model(inputs[batch]), targets[batch])
            loss.backward()
            optimizer.step()

    return epoch
