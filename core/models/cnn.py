"""A small convolutional network after LeNet-5."""

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from core.errors import ModelError
from core.models.options import ModelOptions, activation_layer, image_shape

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["Cnn"]

POOLINGS = 2
Width = Annotated[int, Field(ge=1, le=4096)]


class Cnn(ModelOptions):
    """Two 5x5 convolutions with pooling, then linear layers, after LeNet-5 (LeCun et al. 1998)."""

    TAKES: ClassVar = ("image",)

    name: Literal["cnn"] = "cnn"
    channels: tuple[Width, Width] = (6, 16)
    """Channels of the two convolutions."""
    hidden: Annotated[tuple[Width, ...], Field(max_length=16)] = (120, 84)
    """Units of each linear layer before the last."""
    activation: Literal["relu", "tanh", "sigmoid", "gelu"] = "relu"
    """Activation function after each layer."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Fraction of linear units dropped at each step."""

    def build(self, sample_shape: tuple[int, ...], outputs: int) -> "Module":
        from torch import nn

        channels, height, width = image_shape(self, sample_shape)
        smallest = 2**POOLINGS
        if min(height, width) < smallest:
            raise ModelError(
                f"model.name: cnn takes images of {smallest}x{smallest} or more, got {height}x{width}"
            )
        layers: list[Module] = []
        for wider in self.channels:
            layers += [
                nn.Conv2d(channels, wider, 5, padding=2),
                activation_layer(self.activation),
                nn.MaxPool2d(2),
            ]
            channels, height, width = wider, height // 2, width // 2
        layers.append(nn.Flatten())
        units = channels * height * width
        for hidden in self.hidden:
            layers += [nn.Linear(units, hidden), activation_layer(self.activation)]
            if self.dropout:
                layers.append(nn.Dropout(self.dropout))
            units = hidden
        return nn.Sequential(*layers, nn.Linear(units, outputs))
