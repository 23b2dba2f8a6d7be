"""A single linear layer: logistic or linear regression."""

from math import prod
from typing import TYPE_CHECKING, Literal

from core.models.options import ModelOptions

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["Linear"]


class Linear(ModelOptions):
    """One linear layer: logistic regression for classes, linear regression for numbers."""

    name: Literal["linear"] = "linear"

    def build(self, sample_shape: tuple[int, ...], outputs: int) -> "Module":
        from torch import nn

        return nn.Sequential(nn.Flatten(), nn.Linear(prod(sample_shape), outputs))
