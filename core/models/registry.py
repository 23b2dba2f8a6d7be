"""All networks. To add one: write its options and `build` in a module of its own, and put it into the union."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from core.data.dataset import Dataset
from core.models.cnn import Cnn
from core.models.linear import Linear
from core.models.mlp import Mlp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor
    from torch.nn import Module

__all__ = ["ModelConfig", "build", "rebuild"]

ModelConfig = Annotated[Linear | Mlp | Cnn, Field(discriminator="name")]


def build(config: ModelConfig, data: Dataset, seed: int) -> "Module":
    """The network that `config` names, with weights drawn from `seed`, sized for `data`.

    Raises:
        ModelError: it cannot take this data.
    """
    import torch

    torch.manual_seed(seed)
    return config.build(data.sample_shape, data.outputs)


def rebuild(config: ModelConfig, data: Dataset, weights: "Mapping[str, Tensor]") -> "Module":
    """The network that `config` names with given weights, sized for `data`.

    Draws no random numbers: a training that goes on in another thread of this process stays repeatable.

    Raises:
        ModelError: it cannot take this data.
        RuntimeError: the weights are those of another network.
    """
    import torch

    with torch.device("meta"):
        model = config.build(data.sample_shape, data.outputs)
    model.load_state_dict(weights, assign=True)
    return model
