"""The layers of a U-Net."""

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d, pad

__all__ = ["UnetNetwork"]


class UnetNetwork(nn.Module):
    """Convolutions at several sizes of an image, and back, joined with those of the way down.

    Args:
        channels: of the images. outputs: numbers at each pixel.
        depth: times that the image is halved. width: channels at full size.
    """

    def __init__(self, channels: int, outputs: int, depth: int, width: int) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(depth + 1)]
        self.multiple = 2**depth
        self.down = nn.ModuleList(
            _convolutions(before, after) for before, after in zip([channels, *widths], widths, strict=False)
        )
        self.doubled = nn.ModuleList(
            nn.ConvTranspose2d(2 * after, after, 2, stride=2) for after in reversed(widths[:-1])
        )
        self.up = nn.ModuleList(_convolutions(2 * after, after) for after in reversed(widths[:-1]))
        self.last = nn.Conv2d(width, outputs, 1)

    def forward(self, images: Tensor) -> Tensor:
        """(b, channels, height, width) to (b, outputs, height, width); sizes that do not halve evenly are padded."""
        height, width = images.shape[2:]
        padding = (0, -width % self.multiple, 0, -height % self.multiple)
        maps = pad(images, padding)
        seen: list[Tensor] = []
        for level, convolutions in enumerate(self.down):
            maps = convolutions(max_pool2d(maps, 2) if level else maps)
            seen.append(maps)
        seen.pop()
        for doubled, convolutions in zip(self.doubled, self.up, strict=True):
            maps = convolutions(torch.cat([seen.pop(), doubled(maps)], dim=1))
        found: Tensor = self.last(maps)
        return found[:, :, :height, :width].contiguous()


def _convolutions(before: int, after: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for channels in (before, after):
        layers += [nn.Conv2d(channels, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
    return nn.Sequential(*layers)
