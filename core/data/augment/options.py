"""Changes to training images and signals. To add one: write its class here, put it into `Augmentation`, and its work
into `core.data.augment.augmenter`.

In a configuration each stands as its name, alone or with its one setting: ``[crop, rotation:10, mixup]``.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from core.options import Options, Unit, choices, default_of

__all__ = [
    "Augment",
    "Augmentation",
    "Colour",
    "Crop",
    "CutMix",
    "Flip",
    "Mask",
    "MixUp",
    "Noise",
    "RandAugment",
    "Rotation",
    "Shift",
    "parse",
]


class _Change(Options):
    mixes: ClassVar[bool] = False
    """True if it mixes two images with their classes, which takes a loss with soft targets."""
    masks: ClassVar[Literal["moves", "stays", "unknown"]] = "unknown"
    """Effect on masks beside the images: moved alike, none, or none that is known."""


class Crop(_Change):
    """A window of the image's own size, somewhere in the image with a black margin."""

    masks = "moves"
    name: Literal["crop"] = "crop"
    padding: Annotated[int, Field(ge=1, le=512), Unit("pixels")] = 4
    """Width of the padding."""


class Flip(_Change):
    """Left and right exchanged."""

    masks = "moves"
    name: Literal["flip"] = "flip"
    chance: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Fraction of the images that are flipped."""


class Rotation(_Change):
    """A turn around the middle, in either direction."""

    name: Literal["rotation"] = "rotation"
    degrees: Annotated[float, Field(gt=0, le=180), Unit("degrees")] = 15.0
    """Largest rotation."""


class Colour(_Change):
    """Brightness, contrast and saturation multiplied by random factors around 1."""

    masks = "stays"
    name: Literal["colour"] = "colour"
    strength: Annotated[float, Field(gt=0, le=1)] = 0.4
    """Largest deviation of the factors from 1."""


class RandAugment(_Change):
    """Two of 14 changes of shape and colour at random (Cubuk et al. 2020)."""

    name: Literal["randaugment"] = "randaugment"
    magnitude: Annotated[int, Field(ge=0, le=30)] = 9
    """Strength of all changes."""


class MixUp(_Change):
    """Each image and its class blended with another one's (Zhang et al. 2018)."""

    name: Literal["mixup"] = "mixup"
    mixes = True
    alpha: Annotated[float, Field(gt=0, le=10)] = 0.2
    """Parameter of the Beta distribution of the mixing weight; larger values mix more evenly."""


class CutMix(_Change):
    """A rectangle of each image replaced with that of another one, and its class by the part (Yun et al. 2019)."""

    name: Literal["cutmix"] = "cutmix"
    mixes = True
    alpha: Annotated[float, Field(gt=0, le=10)] = 1.0
    """Parameter of the Beta distribution of the rectangle's area; larger values mix more evenly."""


class Noise(_Change):
    """Normal noise on each value of a signal."""

    name: Literal["noise"] = "noise"
    strength: Annotated[float, Field(gt=0, le=10)] = 0.1
    """Standard deviation of the noise, in standard deviations of its channel."""


class Shift(_Change):
    """A signal moved in time, earlier or later; the mean of each channel follows behind."""

    name: Literal["shift"] = "shift"
    fraction: Annotated[float, Field(gt=0, lt=1), Unit("of the steps")] = 0.1
    """Largest shift."""


class Mask(_Change):
    """A span of a signal replaced with the mean of each channel."""

    name: Literal["mask"] = "mask"
    fraction: Annotated[float, Field(gt=0, lt=1), Unit("of the steps")] = 0.1
    """Longest span."""


Augmentation = Annotated[
    Crop | Flip | Rotation | Colour | RandAugment | MixUp | CutMix | Noise | Shift | Mask,
    Field(discriminator="name"),
]
_READER: TypeAdapter[Augmentation] = TypeAdapter(Augmentation)


def parse(text: str) -> Augmentation:
    """Return the augmentation that ``crop`` or ``crop:8`` names.

    Raises:
        ValueError: there is none of this name, or its setting is out of range; the message says what there is.
    """
    name, colon, value = (part.strip() for part in text.partition(":"))
    known = choices(Augmentation)
    if name not in known:
        raise ValueError(f"unknown augmentation '{name}'; Known: {', '.join(known)}")
    setting = next(key for key in known[name].model_fields if key != "name")
    fields = {"name": name, setting: value} if colon else {"name": name}
    try:
        return _READER.validate_python(fields)
    except ValidationError as error:
        usual = default_of(known[name].model_fields[setting])
        message = error.errors()[0]["msg"].lower().partition(", ")[0]
        raise ValueError(f"{name}:{value}: {setting}: {message}; The usual is {name}:{usual}") from None


def _checked(given: Any) -> Any:
    """A text that `parse` takes; in YAML ``crop: 8`` reads as a mapping of one."""
    if isinstance(given, dict) and len(given) == 1:
        given = ":".join(str(part) for part in next(iter(given.items())))
    if isinstance(given, str):
        parse(given)
    return given


Augment = tuple[Annotated[str, BeforeValidator(_checked)], ...]
"""A field that lists augmentations."""
