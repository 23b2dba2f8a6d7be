"""Networks and data that are not the same in each of several processes, for tests."""

import os
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import TensorDataset

RANK = int(os.environ.get("RANK", "0"))


def part(features: int, width: int, *, normed: bool = False) -> nn.Sequential:
    norm = [nn.BatchNorm1d(width)] if normed else []
    return nn.Sequential(nn.Linear(features, width), *norm, nn.ReLU(), nn.Linear(width, features))


class Branches(nn.Module):
    """Each process trains a branch of another size, from the second step on."""

    normed = False

    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__()
        self.wide, self.slim = (part(in_features, width, normed=self.normed) for width in (64, 8))
        self.head = nn.Linear(in_features, num_classes)
        self.steps = 0

    def forward(self, x: Tensor) -> Any:
        x = x.flatten(1)
        self.steps += self.training
        apart = self.training and self.steps > 1 and RANK == 1
        return self.head(x + (self.slim(x) if apart else self.wide(x)))


class NormedBranches(Branches):
    """The branches are normalised over all processes."""

    normed = True


class Skipped(nn.Module):
    """One process leaves out a part that the others normalise."""

    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__()
        self.part = part(in_features, 8, normed=True)
        self.head = nn.Linear(in_features, num_classes)

    def forward(self, x: Tensor) -> Any:
        x = x.flatten(1)
        return self.head(x if self.training and RANK == 1 else self.part(x))


class Widths(nn.Module):
    """Another width in each process."""

    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(in_features, 8 + RANK), nn.Linear(8 + RANK, num_classes))

    def forward(self, x: Tensor) -> Any:
        return self.layers(x.flatten(1))


class Lazily(nn.Module):
    """One process lets one of two optimizers of the same size rest."""

    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(in_features, num_classes), nn.Linear(in_features, num_classes)

    def forward(self, x: Tensor) -> Any:
        return self.first(x.flatten(1)) + self.second(x.flatten(1))

    def configure_optimizers(self) -> dict[str, torch.optim.Optimizer]:
        return {
            "one": torch.optim.SGD(self.first.parameters(), lr=0.05),
            "other": torch.optim.SGD(self.second.parameters(), lr=0.05),
        }

    def training_step(self, batch: Any, optimizers: Any = None) -> Tensor:
        inputs, targets = batch
        loss = cross_entropy(self(inputs), targets)
        if optimizers:
            loss.backward()
            for name, optimizer in optimizers.items():
                if not (RANK == 1 and name == "one"):
                    optimizer.step()
                    optimizer.zero_grad()
        return loss

    def validation_step(self, batch: Any) -> dict[str, Any]:
        return {"loss": self.training_step(batch)}


class FirstWeights(nn.Module):
    """Begins with other weights in each process, and has a step of its own."""

    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__()
        self.layer = nn.Linear(in_features, num_classes)
        with torch.no_grad():
            self.layer.weight.fill_(RANK)

    def forward(self, x: Tensor) -> Any:
        return self.layer(x.flatten(1))

    def training_step(self, batch: Any) -> Tensor:
        inputs, targets = batch
        return cross_entropy(self(inputs), targets)


class Points(TensorDataset):
    """Three classes of points."""

    def __init__(self, samples: Tensor, targets: Tensor, classes: str) -> None:
        super().__init__(samples, targets)
        self.classes = [*classes]


def data(order: bool = False, count: bool = False, classes: bool = False) -> Points:
    """90 points; `order`, the number of samples, or the names of the classes differ in the second process."""
    dice = torch.Generator().manual_seed(0)
    samples, targets = torch.randn(90, 4, generator=dice), torch.arange(90) % 3
    if order and RANK == 1:
        samples, targets = samples.flip(0), targets.flip(0)
    if count and RANK == 1:
        samples, targets = samples[:81], targets[:81]
    return Points(samples, targets, "cba" if classes and RANK == 1 else "abc")
