"""What the training options change in a step, beside loops written by hand."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from core import config as configuration
from core.config import TrainConfig
from core.control import RunControl
from core.data.batches import epoch_order
from core.data.dataset import Dataset
from core.engine import TrainingResult, train
from core.events import EpochFinished, Event
from core.models.registry import build

Load = Callable[..., Dataset]

EPOCHS, BATCH, SEED = 2, 50, 3


class Forgetful:
    """Checkpoints that nobody keeps."""

    def save(self, state: dict[str, Any], kind: str) -> None: ...


def config_with(**training: Any) -> TrainConfig:
    return configuration.from_dict(
        {
            "model": {"name": "mlp", "hidden": [16]},
            "loss": "cross_entropy",
            "optimizer": {"name": "momentum", "lr": 0.1},
            "training": {"epochs": EPOCHS, "batch_size": BATCH, "seed": SEED, **training},
        }
    )


def trained(data: Dataset, config: TrainConfig) -> tuple[nn.Module, list[Event], TrainingResult]:
    """The network that the engine trains, on one thread, with what it told and how it ended."""
    torch.set_num_threads(1)
    model, events = build(config.model, data, SEED), []
    result = train(
        config,
        data,
        model,
        emit=events.append,
        control=RunControl(),
        checkpoints=Forgetful(),
        device=torch.device("cpu"),
    )
    return model, events, result


class ByHand:
    """The same network and optimizer, for a loop written out in a test."""

    def __init__(self, data: Dataset, config: TrainConfig) -> None:
        self.model = build(config.model, data, SEED)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1, momentum=0.9, fused=True)
        self.inputs = (data.train.inputs.float() - data.mean) / data.std
        self.targets = data.train.targets

    def batches(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Those of all epochs."""
        for epoch in range(EPOCHS):
            for rows in epoch_order(len(self.inputs), SEED, epoch).split(size):
                yield self.inputs[rows], self.targets[rows]


def assert_equal(model: nn.Module, other: nn.Module) -> None:
    for ours, theirs in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_gradients_are_clipped_as_pytorch_does(load_data: Load) -> None:
    data, config = load_data("digits"), config_with(clip_norm=0.5)
    hand, clipped = ByHand(data, config), 0
    for inputs, targets in hand.batches(BATCH):
        hand.optimizer.zero_grad()
        cross_entropy(hand.model(inputs), targets).backward()
        clipped += bool(nn.utils.clip_grad_norm_(hand.model.parameters(), 0.5) > 0.5)
        hand.optimizer.step()
    assert clipped > 10
    assert_equal(trained(data, config)[0], hand.model)


def test_accumulated_gradients_are_those_of_the_loop_by_hand(load_data: Load) -> None:
    data, config = load_data("digits"), config_with(accumulate=4)
    hand, parts = ByHand(data, config), []
    for inputs, targets in hand.batches(4 * BATCH):
        hand.optimizer.zero_grad()
        pairs = list(zip(inputs.split(BATCH), targets.split(BATCH), strict=True))
        for some_inputs, some_targets in pairs:
            loss = cross_entropy(hand.model(some_inputs), some_targets, reduction="sum") / len(inputs)
            loss.backward()
        hand.optimizer.step()
        parts.append([len(some) for _, some in pairs])
    model, events, _ = trained(data, config)
    assert parts[-1] == [50, 43], "the last step of an epoch is smaller, and so is its last part"
    for ours, theirs in zip(model.parameters(), hand.model.parameters(), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-6)
    assert [event.step for event in events if isinstance(event, EpochFinished)] == [7, 14]


def test_small_batches_accumulated_train_as_large_ones(load_data: Load) -> None:
    """Loss and accuracy of every epoch, too."""
    data = load_data("digits")
    large, told, _ = trained(data, config_with(batch_size=200))
    small, same, _ = trained(data, config_with(batch_size=50, accumulate=4))
    for ours, theirs in zip(small.parameters(), large.parameters(), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-5)
    for one, other in zip(told, same, strict=False):
        if isinstance(one, EpochFinished) and isinstance(other, EpochFinished):
            assert one.train == pytest.approx(other.train, abs=1e-5)
            assert one.validation == pytest.approx(other.validation, abs=1e-5)
