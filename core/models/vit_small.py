"""A vision transformer for small images."""

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from core.errors import ModelError
from core.models.options import ModelOptions, image_shape

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["VitSmall"]


class VitSmall(ModelOptions):
    """Vision transformer for small images (Dosovitskiy et al. 2021), without class token (Beyer et al. 2022)."""

    TAKES: ClassVar = ("image",)

    name: Literal["vit_small"] = "vit_small"
    patch: Annotated[int, Field(ge=1, le=64)] = 4
    """Height and width, in pixels, of the patches that an image is cut into; what is left over is filled with zeros."""
    width: Annotated[int, Field(ge=2, le=4096, multiple_of=2)] = 64
    """Embedding dimension of a patch."""
    depth: Annotated[int, Field(ge=1, le=48)] = 4
    """Transformer layers."""
    heads: Annotated[int, Field(ge=1, le=64)] = 4
    """Attention heads per layer; the width must be divisible by it."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Fraction of activations dropped at each step."""

    def build(self, sample_shape: tuple[int, ...], outputs: int) -> "Module":
        from torch import nn

        from core.models.patches import MeanOfPatches, Patches

        shape = image_shape(self, sample_shape)
        if self.width % self.heads:
            raise ModelError(f"model.heads: got {self.heads}, takes a divisor of the width, {self.width}")
        layers = [
            nn.TransformerEncoderLayer(
                self.width,
                self.heads,
                dim_feedforward=2 * self.width,
                dropout=self.dropout,
                activation="gelu",
                batch_first=True,
                norm_first=True,
            )
            for _ in range(self.depth)
        ]
        mean = [nn.LayerNorm(self.width), MeanOfPatches()]
        return nn.Sequential(
            Patches(shape, self.patch, self.width), *layers, *mean, nn.Linear(self.width, outputs)
        )
