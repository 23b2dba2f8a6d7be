"""The networks of the package timm, fitted to any images and any number of outputs."""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from core.data.dataset import Dataset
from core.errors import DependencyError, ModelError
from core.models.options import ModelOptions, image_shape

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["Timm"]

PREFIX = "timm:"
MAX_LISTED = 5
MIN_SIDE = 64
"""Pixels that the shorter side of an image has at least: most of these networks halve an image five times."""


class Timm(ModelOptions):
    """A network of the package timm, such as timm:resnet18d, with or without pretrained weights."""

    TAKES: ClassVar = ("image",)

    name: Literal["timm"] = "timm"
    architecture: str = "resnet18"
    """Which of its networks; `timm.list_models()` lists them."""
    pretrained: bool = False
    """Start from pretrained weights, which timm downloads once; only the last layer is initialised anew."""
    size: Annotated[int, Field(ge=0, le=2048)] = 0
    """Height and width, in pixels, that images are brought to; 0 enlarges small ones as far as the network needs."""

    @classmethod
    def fields_for(cls, text: str) -> dict[str, Any] | None:
        return {"architecture": text.removeprefix(PREFIX)} if text.startswith(PREFIX) else None

    @property
    def on_meta(self) -> bool:
        return False  # some of its networks compute with tensors while they are built

    def build(self, sample_shape: tuple[int, ...], outputs: int) -> "Module":
        from core.models.fitted import FittedNetwork

        channels, *sides = image_shape(self, sample_shape)
        if channels not in (1, 3):
            raise ModelError(f"model.name: timm takes images of 1 or 3 channels, this data has {channels}")
        network = self._network(outputs, pretrained=False)
        return FittedNetwork(network, self._size(network, *sides), None)

    def initialise(self, network: "Module", data: Dataset) -> tuple[str, ...]:
        if not self.pretrained:
            return ()
        own = network.get_submodule("network")
        shapes = {key: value.shape for key, value in own.state_dict().items()}
        learnt = self._network(data.outputs, pretrained=True).state_dict()
        last = self._last_layer(own)
        taken = {
            key: value
            for key, value in learnt.items()
            if shapes.get(key) == value.shape and not key.startswith(last)
        }
        own.load_state_dict(taken, strict=False)
        return (f"model: {len(taken):,} of {len(shapes):,} tensors of {self.architecture} are pretrained",)

    def _last_layer(self, network: "Module") -> str:
        """Return the name of the layer that timm fits to the outputs."""
        config: dict[str, Any] = getattr(network, "pretrained_cfg", None) or {}
        name = config.get("classifier", "")
        return f"{name if isinstance(name, str) else name[0]}."

    def _size(self, network: "Module", height: int, width: int) -> tuple[int, int]:
        """The height and width that images are brought to."""
        if self.size:
            return self.size, self.size
        config: dict[str, Any] = getattr(network, "pretrained_cfg", None) or {}
        if config.get("fixed_input_size"):
            _, tall, wide = config["input_size"]
            return tall, wide
        scale = max(1.0, MIN_SIDE / min(height, width))
        return round(height * scale), round(width * scale)

    def _network(self, outputs: int, *, pretrained: bool) -> "Module":
        """Return the network of timm.

        Raises:
            DependencyError: timm is not installed.
            ModelError: it has no such network, or its weights cannot be had.
        """
        try:
            import timm
        except ImportError:
            raise DependencyError(
                f"model.name: {PREFIX}{self.architecture} needs the package timm, which is not installed",
                "Install it: pip install 'torchtui[timm]'",
            ) from None
        if not timm.is_model(self.architecture):
            near = timm.list_models(f"*{self.architecture[:6]}*")[:MAX_LISTED]
            raise ModelError(
                f"model.architecture: timm has no network '{self.architecture}'",
                f"There are {', '.join(near)}" if near else "`timm.list_models()` lists them",
            )
        try:
            network: Module = timm.create_model(self.architecture, pretrained=pretrained, num_classes=outputs)
        except Exception as error:  # whatever a download or a network's own code meets
            where = "model.pretrained" if pretrained else "model.architecture"
            raise ModelError(
                f"{where}: timm cannot build {self.architecture}: {str(error).partition(chr(10))[0]}",
                "Set model.pretrained to false, or choose another" if pretrained else "Choose another",
            ) from None
        return network
