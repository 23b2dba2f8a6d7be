"""The multi-layer perceptron."""

from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from core.models.options import ModelOptions, activation_layer

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["Mlp"]


class Mlp(ModelOptions):
    """Multi-layer perceptron: linear layers with an activation between them."""

    name: Literal["mlp"] = "mlp"
    hidden: Annotated[
        tuple[Annotated[int, Field(ge=1, le=65_536)], ...], Field(min_length=1, max_length=64)
    ] = (100,)
    """Units of each hidden layer, such as 256, 128."""
    activation: Literal["relu", "tanh", "sigmoid", "gelu"] = "relu"
    """Activation function between the layers."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Fraction of hidden units dropped at each step."""

    def build(self, sample_shape: tuple[int, ...], outputs: int) -> "Module":
        from torch import nn

        layers: list[Module] = [nn.Flatten()]
        for units_in, units_out in pairwise((prod(sample_shape), *self.hidden)):
            layers += [nn.Linear(units_in, units_out), activation_layer(self.activation)]
            if self.dropout:
                layers.append(nn.Dropout(self.dropout))
        return nn.Sequential(*layers, nn.Linear(self.hidden[-1], outputs))
