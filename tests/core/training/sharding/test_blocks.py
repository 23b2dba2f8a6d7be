"""Blocks of a network: repeated parts and large layers that are called, whose weights nobody else uses."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from core.data.dataset import Dataset
from core.errors import ConfigError
from core.models.registry import build
from core.training.sharding.blocks import blocks_of
from core.training.sharding.choice import check_divisible
from tests.conftest import config_of

Load = Callable[..., Dataset]


def names_of_blocks(network: nn.Module, data: Dataset) -> list[str]:
    names = {module: name for name, module in network.named_modules()}
    return [names[block] for block in blocks_of(network, data)]


def test_repeated_parts_are_blocks_and_large_layers(load_data: Load) -> None:
    digits = load_data("digits")
    transformer = build(config_of({"model": "vit_small"}).model, digits, 0)
    names = names_of_blocks(transformer, digits)
    kinds = {type(block).__name__ for block in blocks_of(transformer, digits)}
    assert len(names) > 2
    assert "TransformerEncoderLayer" in kinds, kinds
    perceptron = build(config_of({"model": {"name": "mlp", "hidden": [32, 32]}}).model, digits, 0)
    assert all(isinstance(block, nn.Linear) for block in blocks_of(perceptron, digits))


class Odd(nn.Module):
    """A layer that shares its weight, one whose weight is read, and one that is never called."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.tied, self.read, self.never = (nn.Linear(64, 64) for _ in range(4))
        self.head, self.count = nn.Linear(64, 10), nn.BatchNorm1d(64)
        self.tied.weight = self.read.weight

    def forward(self, x: Tensor) -> Tensor:
        x = self.tied(self.count(self.first(x.flatten(1))))
        outputs: Tensor = self.head(nn.functional.linear(x, self.read.weight))
        return outputs


def test_weights_used_elsewhere_belong_to_no_block(load_data: Load) -> None:
    network = Odd().train()
    state = torch.get_rng_state()
    before = network.count.running_mean.clone()  # type: ignore[union-attr]  # it has one
    assert names_of_blocks(network, load_data("digits")) == ["first"]
    assert network.training
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(network.count.running_mean, before)  # type: ignore[arg-type]  # it has one


@pytest.mark.parametrize(
    ("values", "options", "reason"),
    [
        ({"optimizer": "lbfgs"}, {}, "lbfgs needs all weights"),
        ({"optimizer": "muon"}, {}, "muon turns each weight"),
        ({"training": {"precision": "fp16"}}, {}, "fp16"),
        ({"training": {"channels_last": True}}, {}, "channels-last"),
        ({}, {"own_step": True}, "training_step"),
        ({}, {"own_loss": True}, "a loss with weights"),
    ],
)
def test_what_needs_whole_weights_is_refused(
    values: dict[str, Any], options: dict[str, bool], reason: str
) -> None:
    with pytest.raises(ConfigError, match=reason) as refused:
        check_divisible(config_of(values), Odd(), **{"own_step": False, "own_loss": False, **options})
    assert refused.value.field == "training.shard"


def test_a_weight_without_dimensions_is_refused() -> None:
    network = nn.Sequential(nn.Linear(4, 4))
    network.register_parameter("scale", nn.Parameter(torch.ones(())))
    with pytest.raises(ConfigError, match="such as scale"):
        check_divisible(config_of({}), network, own_step=False, own_loss=False)
