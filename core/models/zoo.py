"""The classification networks of torchvision, fitted to any images and any number of outputs."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, get_args

from pydantic import Field

from core.data.builtin.download import as_it_is, fetch
from core.data.dataset import Progress
from core.errors import DataError, ModelError
from core.files.reading import open_regular
from core.models.options import ModelOptions, image_shape
from core.models.zoo_names import Architecture

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["Zoo"]

PRETRAINED_SIDE = 224
"""Of the images that networks with a fixed size were made for."""
SMALLEST: dict[str, int] = {"inception_v3": 128, "maxvit_t": PRETRAINED_SIDE}
"""Sides below which an architecture has nothing left to look at."""


class Zoo(ModelOptions):
    """A classification network of torchvision, such as resnet18, with or without weights pretrained on ImageNet."""

    TAKES: ClassVar = ("image",)

    name: Literal["zoo"] = "zoo"
    architecture: Architecture = "resnet18"
    """Which of torchvision's networks."""
    pretrained: bool = False
    """Start from weights pretrained on ImageNet, downloaded once; only the last layer is initialised anew."""
    trainable_layers: Literal["all"] | Annotated[int, Field(ge=1, le=10_000)] = "all"
    """Number of last layers to train; all others are frozen. 1 trains the last layer only."""
    enlarge_to: Annotated[int, Field(ge=1, le=1024)] = 64
    """Images whose shorter side is smaller, in pixels, are enlarged to it: these networks halve an image five times."""

    @classmethod
    def fields_for(cls, text: str) -> dict[str, Any] | None:
        return {"architecture": text} if text in get_args(Architecture) else None

    @property
    def on_meta(self) -> bool:
        return not self.architecture.startswith("regnet")  # their builders compute with tensors

    def fetch(self, progress: Progress) -> None:
        if self.pretrained and not self._weights_file().is_file():
            url = self._weights().url
            digits = re.search(r"-([0-9a-f]{8,})\.", url)
            path = self._weights_file()
            try:
                fetch([url], path, sha256=digits[1] if digits else "", progress=progress, unpack=as_it_is)
            except DataError as error:
                raise ModelError(
                    f"model.pretrained: {error.message}",
                    f"Without network, put {path.name} into {path.parent}, or set model.pretrained to false",
                ) from None

    def build(self, sample_shape: tuple[int, ...], outputs: int) -> "Module":
        from torchvision import models

        from core.models.fitted import FittedNetwork

        channels, *sides = image_shape(self, sample_shape)
        if channels not in (1, 3):
            raise ModelError(f"model.name: zoo takes images of 1 or 3 channels, this data has {channels}")
        size = self._size(*sides)
        network = models.get_model(self.architecture, weights=None, num_classes=outputs, **self._extra(size))
        if self.pretrained and not next(network.parameters()).is_meta:  # there, only sizes are asked for
            self._load(network)
        return FittedNetwork(network, size, None if self.trainable_layers == "all" else self.trainable_layers)

    def _size(self, height: int, width: int) -> tuple[int, int]:
        """The height and width that images are brought to."""
        if self.architecture == "maxvit_t" or (self.architecture.startswith("vit_") and self.pretrained):
            return PRETRAINED_SIDE, PRETRAINED_SIDE
        if self.architecture.startswith(
            "vit_"
        ):  # learns a place for each patch, so the size is the network's
            patch = int(self.architecture.rpartition("_")[2])
            side = max(height, width, self.enlarge_to)
            return -(-side // patch) * patch, -(-side // patch) * patch
        least = max(self.enlarge_to, SMALLEST.get(self.architecture, 0))
        scale = max(1.0, least / min(height, width))
        return round(height * scale), round(width * scale)

    def _extra(self, size: tuple[int, int]) -> dict[str, Any]:
        """Return the arguments of the builder of an architecture beside the number of outputs."""
        if self.architecture.startswith("vit_"):
            return {"image_size": size[0]}
        if self.architecture in ("googlenet", "inception_v3"):
            # Their side outputs only add a term to the loss while training; scaled is what the weights expect.
            return {"aux_logits": False, "init_weights": True, "transform_input": self.pretrained}
        return {}

    def _weights(self) -> Any:
        from torchvision import models

        return models.get_model_weights(self.architecture).DEFAULT

    def _weights_file(self) -> Path:
        """Return the path at which torchvision keeps them too."""
        import torch

        name: str = self._weights().url.rpartition("/")[2]
        return Path(torch.hub.get_dir()) / "checkpoints" / name

    def _load(self, network: "Module") -> None:
        """Take over all weights but those of the last layer, whose size is another."""
        import torch

        path = self._weights_file()
        try:
            with open_regular(path, follow_links=True) as file:
                learnt = torch.load(file, map_location="cpu", weights_only=True)
        except FileNotFoundError:
            raise ModelError(
                f"model.pretrained: {path} not found",
                "Training downloads it when there is a network connection",
            ) from None
        except Exception as error:  # torch raises whatever it trips over in a damaged file
            raise ModelError(
                f"model.pretrained: {path} cannot be read: {str(error).partition(chr(10))[0]}",
                "Delete it; training downloads it again",
            ) from None
        own = network.state_dict()
        network.load_state_dict(
            {key: value for key, value in learnt.items() if key in own and own[key].shape == value.shape},
            strict=False,
        )
