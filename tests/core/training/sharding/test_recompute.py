"""Blocks that compute their activations again train to the same weights, bit for bit, and keep less in memory."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from core.errors import ConfigError
from core.training.sharding.recompute import recompute


class Block(nn.Module):
    """Draws random numbers, and has buffers that change in each call."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.layer, self.drop = nn.BatchNorm1d(8), nn.Linear(8, 8), nn.Dropout(0.4)
        self.calls = 0

    def forward(self, x: Tensor, *, scale: Tensor) -> Tensor:
        self.calls += 1
        outputs: Tensor = x + self.drop(torch.relu(self.layer(self.norm(x)))) * scale
        return outputs


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block() for _ in range(3))
        self.spoils = False

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            given = x * 1
            x = block(given, scale=x.mean())
            if self.spoils:
                given += 1
        return x


def gradients(network: nn.Module, inputs: Tensor) -> list[Any]:
    """Return gradients and buffers after two steps, the same random numbers each time."""
    torch.manual_seed(3)
    for _ in range(2):
        network(inputs).square().mean().backward()
    return [weight.grad for weight in network.parameters()] + list(network.buffers())


@pytest.mark.parametrize("in_a_row", [False, True])
def test_gradients_and_buffers_stay_the_same_bit_for_bit(in_a_row: bool) -> None:
    torch.manual_seed(0)
    row = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), nn.Dropout(0.3), nn.ReLU(), nn.Linear(8, 2))
    usual: nn.Module = row if in_a_row else Net()
    again = copy.deepcopy(usual)
    recompute(again, [] if in_a_row else list(again.blocks))  # type: ignore[arg-type]  # a list of modules
    inputs = torch.randn(16, 8)
    assert all(map(torch.equal, gradients(usual, inputs), gradients(again, inputs)))
    assert again.state_dict().keys() == usual.state_dict().keys()


def test_a_block_is_computed_again_while_training_alone() -> None:
    network = Net()
    recompute(network, list(network.blocks))
    block: Any = network.blocks[0]
    network(torch.randn(4, 8)).sum().backward()
    assert block.calls == 2
    network.eval()
    network(torch.randn(4, 8)).sum().backward()
    assert block.calls == 3
    assert type(copy.deepcopy(network).blocks[1]).__name__ == "Block"


def test_nothing_of_the_inside_of_a_block_is_kept() -> None:
    network, kept = Net(), list[Tensor]()

    def saved() -> int:
        kept.clear()
        with torch.autograd.graph.saved_tensors_hooks(kept.append, lambda tensor: tensor):
            network(torch.randn(4, 8))
        return len(kept)

    before = saved()
    recompute(network, list(network.blocks))
    assert saved() < before / 2


def test_inputs_that_are_changed_afterwards_are_refused() -> None:
    network = Net()
    recompute(network, list(network.blocks))
    network.spoils = True
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        network(torch.randn(4, 8)).sum().backward()


def test_a_network_without_blocks_is_refused() -> None:
    with pytest.raises(ConfigError, match="no blocks of several layers"):
        recompute(nn.Sequential(nn.Flatten(), nn.Linear(4, 2)), [])
