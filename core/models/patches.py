"""Pieces of vision transformers."""

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

__all__ = ["MeanOfPatches", "Patches"]


class Patches(nn.Module):
    """Cuts images into patches and describes each by a vector, to which a learned position embedding is added.

    Args:
        shape: (channels, height, width) of an image.
        side: height and width of a patch; images are filled up with zeros at the right and below.
        width: numbers that describe a patch.
    """

    def __init__(self, shape: tuple[int, int, int], side: int, width: int) -> None:
        super().__init__()
        channels, height, across = shape
        self.margin = (0, -across % side, 0, -height % side)
        self.describe = nn.Conv2d(channels, width, side, stride=side)
        self.places = nn.Parameter(0.02 * torch.randn(-(-height // side) * -(-across // side), width))

    def forward(self, images: Tensor) -> Tensor:
        """(b, channels, height, width) to (b, patches, width)."""
        described: Tensor = self.describe(pad(images, self.margin))
        return described.flatten(2).transpose(1, 2) + self.places


class MeanOfPatches(nn.Module):
    """(b, patches, width) to (b, width)."""

    def forward(self, patches: Tensor) -> Tensor:
        return patches.mean(dim=1)
