"""Pieces of residual networks."""

from torch import Tensor, nn

__all__ = ["Residual", "convolution"]


class Residual(nn.Module):
    """``shortcut(x) + body(x)`` (He et al. 2016): by default the shortcut gives x itself."""

    def __init__(self, body: nn.Module, shortcut: nn.Module | None = None) -> None:
        super().__init__()
        self.body = body
        self.shortcut = shortcut or nn.Identity()

    def forward(self, inputs: Tensor) -> Tensor:
        """(b, ...) to (b, ...)."""
        outputs: Tensor = self.shortcut(inputs) + self.body(inputs)
        return outputs


def convolution(channels: int, wider: int, *, side: int = 3, stride: int = 1) -> nn.Sequential:
    """A convolution that keeps height and width, or halves them by a stride of 2, and batch normalisation."""
    return nn.Sequential(
        nn.Conv2d(channels, wider, side, stride, padding=side // 2, bias=False), nn.BatchNorm2d(wider)
    )
