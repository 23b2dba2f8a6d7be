"""A network from images to maps of the same size."""

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from core.models.options import ModelOptions, image_shape

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["Unet"]


class Unet(ModelOptions):
    """A U-Net: halves the image some times, then doubles it back beside what it saw (Ronneberger et al. 2015)."""

    TAKES: ClassVar = ("image",)
    GIVES_MAPS: ClassVar = True

    name: Literal["unet"] = "unet"
    depth: Annotated[int, Field(ge=1, le=6)] = 3
    """How many times the image is halved; each time the channels double."""
    width: Annotated[int, Field(ge=1, le=1024)] = 16
    """Channels at full size."""

    def build(self, sample_shape: tuple[int, ...], outputs: int) -> "Module":
        from core.models.maps.unet_network import UnetNetwork

        channels, _, _ = image_shape(self, sample_shape)
        return UnetNetwork(channels, outputs, self.depth, self.width)
