"""A module beside it."""

from torch import nn


def hidden(inputs: int, width: int) -> nn.Module:
    return nn.Sequential(nn.Linear(inputs, width), nn.Tanh())
