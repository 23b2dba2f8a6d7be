"""Base of the options of all networks."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from core.data.dataset import Dataset, Progress
from core.data.kinds.registry import KindName, kind_of
from core.data.kinds.sample import Sample
from core.errors import ModelError
from core.options import Options, choices

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = ["NUMBERS", "ModelOptions", "activation_layer", "image_shape"]

NUMBERS: tuple[KindName, ...] = ("table", "image", "signal", "other")
"""Kinds of samples that are numbers, not ids."""


class ModelOptions(Options):
    """Base of all networks."""

    STATIC: ClassVar[bool] = True
    """Whether it computes the same way at each step, so that a step can be recorded and replayed."""

    SUGGESTS: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """Values by section for what a configuration leaves open."""

    TAKES: ClassVar[tuple[KindName, ...]] = NUMBERS
    """Kinds of samples that it is made for."""

    GIVES_MAPS: ClassVar[bool | None] = False
    """Whether it gives its outputs at each pixel, not for the whole image; None for one that does as it is asked."""

    TAKES_SEQUENCES: ClassVar[bool] = False
    """Whether samples may have different lengths; its ``forward`` takes ``mask`` or ``lengths`` then."""

    @property
    def on_meta(self) -> bool:
        """Return whether it can be built on PyTorch's meta device, without memory for weights or random numbers."""
        return True

    def fetch(self, progress: Progress) -> None:
        """Download what `build` needs, if anything.

        Raises:
            ModelError: it cannot be had.
        """

    def build(self, sample_shape: tuple[int, ...], outputs: int) -> "Module":
        """A network with fresh weights.

        Args:
            sample_shape: (features,) of a table or (channels, height, width) of an image.
            outputs: how many numbers it gives for one sample.

        Raises:
            ModelError: it cannot take such samples.
        """
        raise NotImplementedError

    def build_for(self, sample: Sample, outputs: int) -> "Module":
        """A network with fresh weights for samples of a kind; see `build`.

        Raises:
            ModelError: it cannot take such samples; the message names the models that fit.
        """
        self.ensure_takes(sample)
        return self.build(sample.shape, outputs)

    def ensure_takes(self, sample: Sample) -> None:
        """Make sure that it is made for such samples.

        Raises:
            ModelError: it is not; the message names the models that fit.
        """
        if len(sample.fields) > 1 or (sample.fields and not self.TAKES_SEQUENCES):
            raise _several(self, sample)
        if sample.kind not in self.TAKES or bool(sample.places) != self.GIVES_MAPS:
            raise _unfit(self, sample.kind, maps=bool(sample.places), sequences=bool(sample.fields))

    def fitted(self, network: "Module", data: Dataset) -> Dataset:
        """Return the data as this network takes it."""
        return data

    def initialise(self, network: "Module", data: Dataset) -> tuple[str, ...]:
        """Give a new network other weights than those it was built with, if it shall have some.

        Returns:
            What was done or guessed, a line each.

        Raises:
            ModelError: they cannot be had.
        """
        return ()


def image_shape(model: ModelOptions, sample_shape: tuple[int, ...]) -> tuple[int, int, int]:
    """The shape of an image: (channels, height, width).

    Raises:
        ModelError: samples are no images; the message names the models that fit.
    """
    if len(sample_shape) != 3:
        raise _unfit(model, "table")
    channels, height, width = sample_shape
    return channels, height, width


def _unfit(model: ModelOptions, kind: KindName, *, maps: bool = False, sequences: bool = False) -> ModelError:
    """The error of a network that is not made for a kind of samples, or for an answer to each of their pixels.

    Args:
        maps: there is a target for each pixel.
        sequences: samples have different lengths.
    """
    fitting = _fitting(kind, maps=maps, sequences=sequences)
    name = type(model).model_fields["name"].default
    if kind in model.TAKES:
        targets = ("one target a sample", "a target for each pixel")
        takes, has = targets[not maps], targets[maps]
    else:
        *others, last = [kind_of(each).samples for each in model.TAKES]
        takes, has = f"{', '.join(others)} or {last}" if others else last, kind_of(kind).samples
    return ModelError(
        f"model.name: {name} takes {takes}, but this data has {has}", f"Models that fit: {', '.join(fitting)}"
    )


def _several(model: ModelOptions, sample: Sample) -> ModelError:
    """The error of a network that takes one tensor, of the same shape for each sample."""
    name = type(model).model_fields["name"].default
    if len(sample.fields) > 1:
        *others, last = [str(field.name) for field in sample.fields]
        return ModelError(
            f"model.name: {name} takes one input, but this data has {len(sample.fields)}: "
            f"{', '.join(field.label for field in sample.fields)}",
            f"Set data.inputs to {', '.join(others)} or {last}, or choose a network of your own",
        )
    if not sample.fields[0].is_sequence:
        raise ModelError(
            f"model.name: {name} takes real numbers, but this data has {sample.fields[0].label} of type "
            f"{str(sample.fields[0].fed_dtype).removeprefix('torch.')}",
            "Choose a network of your own",
        )
    fitting = _fitting("tokens" if sample.vocabulary else "signal", sequences=True)
    return ModelError(
        f"model.name: {name} takes samples of one shape, but this data has sequences of different lengths",
        f"Models that fit: {', '.join(fitting)}",
    )


def _fitting(kind: KindName, *, maps: bool = False, sequences: bool = False) -> list[str]:
    """Return the names of the networks that are made for samples of a kind, for arguments see `_unfit`."""
    from core.models.registry import ModelConfig

    known: dict[str, type[ModelOptions]] = choices(ModelConfig)  # type: ignore[assignment]  # all of the union
    return [
        name
        for name, option in known.items()
        if kind in option.TAKES
        and option.GIVES_MAPS in (maps, None)
        and (option.TAKES_SEQUENCES or not sequences)
    ]


def activation_layer(name: str) -> "Module":
    """A fresh activation layer: ``relu``, ``tanh``, ``sigmoid`` or ``gelu``."""
    from torch import nn

    layers: dict[str, type[nn.Module]] = {
        "relu": nn.ReLU,
        "tanh": nn.Tanh,
        "sigmoid": nn.Sigmoid,
        "gelu": nn.GELU,
    }
    return layers[name]()
