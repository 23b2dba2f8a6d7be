"""What every network has in common."""

from typing import TYPE_CHECKING, ClassVar

from core.options import Options

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["ModelOptions", "activation_layer"]


class ModelOptions(Options):
    """Base of all networks."""

    ON_META: ClassVar[bool] = True
    """Whether it can be built on PyTorch's meta device, without memory for weights and without random numbers."""

    def build(self, sample_shape: tuple[int, ...], outputs: int) -> "Module":
        """A network with fresh weights.

        Args:
            sample_shape: (features,) of a table or (channels, height, width) of an image.
            outputs: how many numbers it gives for one sample.

        Raises:
            ModelError: it cannot take such samples.
        """
        raise NotImplementedError


def activation_layer(name: str) -> "Module":
    """A fresh activation layer: ``relu``, ``tanh``, ``sigmoid`` or ``gelu``."""
    from torch import nn

    layers: dict[str, type[nn.Module]] = {
        "relu": nn.ReLU,
        "tanh": nn.Tanh,
        "sigmoid": nn.Sigmoid,
        "gelu": nn.GELU,
    }
    return layers[name]()
