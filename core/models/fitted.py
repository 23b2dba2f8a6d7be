"""A network made for colour images of some size, fitted to other images."""

from torch import Tensor, nn
from torch.nn.functional import interpolate

from core.models.freezing import freeze_all_but_last

__all__ = ["FittedNetwork"]

COLOURS = 3


class FittedNetwork(nn.Module):
    """Brings images to a size, grey ones to three equal channels, and gives them to a network.

    Enlarging, in place of smaller strides at the beginning, does for every architecture alike, keeps what pretrained
    kernels look for at the scale they know, and costs less: a ResNet has a quarter of the work with images
    of 32x32 enlarged to 64x64 as with strides taken out.

    Args:
        size: height and width.
        trainable_layers: how many of the last layers are trained; None for all.
    """

    def __init__(self, network: nn.Module, size: tuple[int, int], trainable_layers: int | None) -> None:
        super().__init__()
        self.network, self.size = network, size
        self.frozen_norms = [] if trainable_layers is None else freeze_all_but_last(network, trainable_layers)

    def forward(self, images: Tensor) -> Tensor:
        """(b, 1 or 3, height, width) to (b, outputs)."""
        if images.shape[1] != COLOURS:
            images = images.expand(-1, COLOURS, -1, -1)
        if images.shape[2:] != self.size:
            images = interpolate(images, self.size, mode="bilinear", align_corners=False, antialias=False)
        outputs: Tensor = self.network(images)
        return outputs

    def train(self, mode: bool = True) -> "FittedNetwork":
        """Set the mode; frozen batch normalisations stay as in evaluation."""
        super().train(mode)
        for norm in self.frozen_norms:
            norm.eval()
        return self
