"""One image file made an array: turned upright, on white where it was transparent, fitted to a size."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["facts_of", "read_picture", "reason"]

GREY_MODES = frozenset({"1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L", "I;16N"})
TRANSPARENT_MODES = frozenset({"LA", "La", "PA", "RGBA", "RGBa"})
ORIENTATION = 0x0112
"""The EXIF tag that says how a camera was held; from 5 on width and height are exchanged."""


def read_picture(path: str | Path, size: tuple[int, int], *, grey: bool) -> np.ndarray:
    """The first picture of a file as uint8 (channels, height, width), with one channel or three.

    The middle of it is taken, as large as the proportions of `size` allow, and scaled by area averages.

    Args:
        size: (height, width).

    Raises:
        Exception: whatever Pillow trips over in a damaged file; `reason` tells it.
    """
    from PIL import Image, ImageOps

    mode = "L" if grey else "RGB"
    with (
        open(path, "rb") as file,
        Image.open(file) as image,
    ):  # by its name Pillow would map it, and misread some
        if image.format == "JPEG":
            image.draft(mode, (size[1], size[0]))  # decodes no more than is needed
        special = image.format == "TIFF" or "exif" in image.info or "transparency" in image.info
        if image.mode == mode and image.size == (size[1], size[0]) and not special:
            picture: Image.Image = image
        else:
            upright = _opaque(ImageOps.exif_transpose(image)).convert(mode)
            picture = ImageOps.fit(upright, (size[1], size[0]), Image.Resampling.BOX)
        values = np.asarray(picture)
    return values[None] if grey else values.transpose(2, 0, 1)


def _opaque(image: "Image") -> "Image":
    """The picture with 8 bits a channel, and white behind what is transparent."""
    from PIL import Image

    if image.mode.startswith("I"):
        values = np.asarray(image)
        wide = image.mode.startswith("I;16") or values.max() > 255
        return Image.fromarray((values // 256 if wide else values).clip(0, 255).astype(np.uint8))
    if image.mode not in TRANSPARENT_MODES and "transparency" not in image.info:
        return image
    layer = image.convert("RGBA")
    white = Image.new("RGBA", layer.size, "white")
    return Image.alpha_composite(white, layer).convert("RGB")


def facts_of(path: str | Path) -> tuple[int, int, bool]:
    """Height and width of a picture as it is shown, and whether it is grey, from the head of its file.

    Raises:
        Exception: as `read_picture`.
    """
    from PIL import Image

    with open(path, "rb") as file, Image.open(file) as image:
        width, height = image.size
        turned = (
            image.format != "TIFF" and image.getexif().get(ORIENTATION, 1) >= 5
        )  # Pillow turns TIFF itself
        return (width, height, _is_grey(image)) if turned else (height, width, _is_grey(image))


def _is_grey(image: "Image") -> bool:
    if image.mode != "P":
        return image.mode in GREY_MODES
    colours = np.array(image.getpalette("RGB") or [0, 0, 0]).reshape(-1, 3)
    return bool((colours == colours[:, :1]).all())


def reason(error: Exception) -> str:
    """Why a picture cannot be read, in a few words."""
    kind = type(error).__name__
    if kind == "UnidentifiedImageError":
        return "no image"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error).partition("\n")[0] or kind
