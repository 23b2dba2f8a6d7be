"""A multi-layer perceptron with residual connections, for tables."""

from math import prod
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from core.models.options import ModelOptions

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["ResidualMlp"]


class ResidualMlp(ModelOptions):
    """Residual multi-layer perceptron for tables, the ResNet of Gorishniy et al. 2021."""

    name: Literal["residual_mlp"] = "residual_mlp"
    width: Annotated[int, Field(ge=1, le=65_536)] = 128
    """Units between the blocks."""
    blocks: Annotated[int, Field(ge=1, le=64)] = 2
    """Residual blocks: normalisation, a linear layer to twice the width, ReLU, and a linear layer back."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Fraction of units inside a block dropped at each step."""

    def build(self, sample_shape: tuple[int, ...], outputs: int) -> "Module":
        from torch import nn

        from core.models.residual import Residual

        width = self.width
        blocks = [
            Residual(
                nn.Sequential(
                    nn.LayerNorm(width),  # takes a batch of one sample, which batch normalisation does not
                    nn.Linear(width, 2 * width),
                    nn.ReLU(),
                    nn.Dropout(self.dropout),
                    nn.Linear(2 * width, width),
                )
            )
            for _ in range(self.blocks)
        ]
        head = [nn.LayerNorm(width), nn.ReLU(), nn.Linear(width, outputs)]
        return nn.Sequential(nn.Flatten(), nn.Linear(prod(sample_shape), width), *blocks, *head)
