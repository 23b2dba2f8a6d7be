"""A multi-layer perceptron for tables: numbers are encoded by their quantiles, texts have embeddings."""

from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from core.data.dataset import Dataset
from core.models.options import ModelOptions

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["Tabular"]


class Tabular(ModelOptions):
    """Perceptron for tables: piecewise linear encoding of numbers by quantiles of train (Gorishniy et al. 2022)."""

    SUGGESTS: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "optimizer": {"name": "adamw", "lr": 0.002, "weight_decay": 0.01, "decay_norms": False},
        "schedule": {"name": "cosine"},
        "training": {"min_steps": 1000},
    }

    name: Literal["tabular"] = "tabular"
    width: Annotated[int, Field(ge=1, le=65_536)] = 128
    """Units of each hidden layer; of the first one the weights of a text are its embedding."""
    depth: Annotated[int, Field(ge=1, le=64)] = 2
    """Hidden layers."""
    bins: Annotated[int, Field(ge=0, le=256)] = 16
    """Pieces that the range of a number is cut into, equally full in train; 0 takes numbers as they are."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Fraction of hidden units dropped at each step."""

    def build(self, sample_shape: tuple[int, ...], outputs: int) -> "Module":
        from torch import nn

        from core.models.tables.quantile_encoding import QuantileEncoding

        encoding = QuantileEncoding(prod(sample_shape), self.bins)
        layers: list[Module] = [nn.Flatten(), encoding]
        units = encoding.outputs
        for _ in range(self.depth):
            layers += [nn.Linear(units, self.width), nn.ReLU()]
            if self.dropout:
                layers.append(nn.Dropout(self.dropout))
            units = self.width
        return nn.Sequential(*layers, nn.Linear(units, outputs))

    def initialise(self, network: "Module", data: Dataset) -> tuple[str, ...]:
        from core.models.tables.quantile_encoding import QuantileEncoding

        for module in network.modules():
            if isinstance(module, QuantileEncoding):
                module.fit(data)
        return ()
