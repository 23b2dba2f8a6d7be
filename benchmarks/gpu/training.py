"""Common parts: the command line, the networks, and a run of the engine without a folder."""

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from core.config import schema as configuration
from core.control import RunControl
from core.data.dataset import Dataset
from core.data.registry import load
from core.events import EpochFinished, Event
from core.models.registry import build
from core.runs.checkpoints import State
from core.training.context import TrainingContext
from core.training.distributed import SINGLE, Group
from core.training.engine import train

__all__ = ["NETWORKS", "Numbers", "Trained", "mnist", "options", "trained"]

NETWORKS: dict[str, dict[str, Any]] = {
    "mlp": {"name": "mlp", "hidden": [256, 128], "dropout": 0.2},
    "cnn": {"name": "cnn"},
    "resnet18": {"name": "zoo", "architecture": "resnet18"},
}
SAMPLES = {"cuda": {"mlp": 60_000, "cnn": 60_000, "resnet18": 12_000}, "cpu": {}}
"""Samples of an epoch by device and network."""
FEW = 160
EPOCHS, QUICK_EPOCHS = 4, 2


@dataclass(frozen=True)
class Trained:
    """Weights and events of a run, and the samples a second of its last epoch, which ends when the device is done."""

    weights: dict[str, Tensor]
    events: list[Event]
    samples_per_second: float


class Nowhere:
    """Keeps no checkpoints."""

    def save(self, state: State, kind: str) -> None:
        """Forget it."""


class Numbers:
    """Numbers of a part; each is printed, and written at once, as the part may be ended."""

    def __init__(self, file: Path | None) -> None:
        self._file, self._numbers = file, dict[str, Any]()

    def add(self, name: str, value: Any, text: str) -> None:
        """Keep a number under its name, and print `text`."""
        self._numbers[name] = value
        print(f"    {text}", flush=True)
        if self._file:
            self._file.write_text(json.dumps(self._numbers))


def options(description: str, more: Callable[[argparse.ArgumentParser], None] = lambda _: None) -> Any:
    """Return the command line of a part: ``device``, ``epochs``, ``quick``, and ``numbers`` to add to."""
    parser = argparse.ArgumentParser(description=description)
    more(parser)
    parser.add_argument("--device", choices=tuple(SAMPLES), default="cuda")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    given.epochs = QUICK_EPOCHS if given.quick else EPOCHS
    given.numbers = Numbers(given.json)
    return given


def mnist(root: Path, network: str, device: str) -> Dataset:
    """Return as many training samples of MNIST as are used for a network on a device, and no validation."""
    data = load(configuration.from_dict({"data": {"name": "mnist", "validation": 0}}).data, root)
    samples = min(len(data.train), SAMPLES[device].get(network, FEW))
    return replace(data, train=data.train.rows(slice(samples)))


def trained(
    network: str, data: Dataset, device: str, epochs: int, *, group: Group = SINGLE, **training: Any
) -> Trained:
    """Train a network from the same weights each time.

    Args:
        training: further fields of `training`.
    """
    values = {
        "data": {"name": "mnist", "validation": 0},
        "model": NETWORKS[network],
        "optimizer": "adam",
        "schedule": "cosine",
        "training": {"epochs": epochs, "batch_size": 64, **training},
    }
    config = configuration.from_dict(values)
    model = build(config.model, data, seed=0)
    events: list[Event] = []
    train(
        config,
        data,
        model,
        TrainingContext(group.device(torch.device(device)), group),
        emit=events.append,
        control=RunControl(),
        checkpoints=Nowhere(),
    )
    seconds = [event.seconds for event in events if isinstance(event, EpochFinished)][-1]
    weights = {name: value.cpu() for name, value in model.state_dict().items()}
    return Trained(weights, events, len(data.train) / seconds)
