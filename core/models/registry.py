"""All networks. To add one: write its options and `build` in a module of its own, and put it into the union."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from core.data.dataset import Dataset
from core.models.cnn import Cnn
from core.models.linear import Linear
from core.models.mlp import Mlp

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["ModelConfig", "build"]

ModelConfig = Annotated[Linear | Mlp | Cnn, Field(discriminator="name")]


def build(config: ModelConfig, data: Dataset, seed: int) -> "Module":
    """The network that `config` names, with weights drawn from `seed`, sized for `data`.

    Raises:
        ModelError: it cannot take this data.
    """
    import torch

    torch.manual_seed(seed)
    return config.build(data.sample_shape, data.outputs)
