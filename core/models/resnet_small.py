"""A residual network for small images."""

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from core.models.options import ModelOptions, image_shape

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["ResnetSmall"]


class ResnetSmall(ModelOptions):
    """Residual network for images of about 8x8 to 64x64 (He et al. 2016, section 4.2)."""

    TAKES: ClassVar = ("image",)

    name: Literal["resnet_small"] = "resnet_small"
    blocks: Annotated[int, Field(ge=1, le=50)] = 1
    """Residual blocks of each stage; there are three, and 3 blocks make the paper's ResNet-20."""
    width: Annotated[int, Field(ge=1, le=1024)] = 16
    """Channels of the first stage; each further stage has twice as many and half the height and width."""

    def build(self, sample_shape: tuple[int, ...], outputs: int) -> "Module":
        from torch import nn

        from core.models.residual import Residual, convolution

        channels, *_ = image_shape(self, sample_shape)
        layers: list[Module] = [convolution(channels, self.width), nn.ReLU()]
        width = self.width
        for stage, wider in enumerate((self.width, 2 * self.width, 4 * self.width)):
            for block in range(self.blocks):
                stride = 2 if stage and not block else 1
                body = nn.Sequential(
                    convolution(width, wider, stride=stride), nn.ReLU(), convolution(wider, wider)
                )
                plain = stride == 1 and width == wider
                shortcut = nn.Identity() if plain else convolution(width, wider, side=1, stride=stride)
                layers.append(nn.Sequential(Residual(body, shortcut), nn.ReLU()))
                width = wider
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, outputs))
