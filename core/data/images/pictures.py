"""One image file as an array: turned upright, on white where it was transparent, fitted to a size."""

import importlib.util
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

import numpy as np

from core.data.images.depth import Extremes, as_bytes, extremes_of, usual_range
from core.data.images.file_kinds import recognise
from core.files.reading import open_regular

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

__all__ = ["Picture", "facts_of", "has_heic", "read_picture", "reason"]

GREY_MODES = frozenset({"1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L", "I;16N"})
TRANSPARENT_MODES = frozenset({"LA", "La", "PA", "RGBA", "RGBa"})
ORIENTATION = 0x0112
"""The EXIF tag that says how a camera was held; from 5 on width and height are exchanged."""
HEAD_BYTES = 32
STILL = frozenset({"MPO"})
"""Formats whose further pictures are smaller or shifted copies of the first one."""


class Picture(NamedTuple):
    """A decoded image.

    Attributes:
        pixels: uint8 (channels, height, width).
        extremes: of an image with more than 8 bits a channel in one channel; else None.
        is_wide: whether it has 16 bits in each of several channels, of which 8 were read.
        pages: how many pictures the file holds; 2 stands for any number above 1.
    """

    pixels: np.ndarray
    extremes: Extremes | None
    is_wide: bool
    pages: int


def read_picture(
    path: str | Path, size: tuple[int, int], *, grey: bool, value_range: tuple[float, float] | None = None
) -> Picture:
    """Read the first picture of a file, with one channel or three.

    The middle of it is taken, as large as the proportions of `size` allow, and scaled by area averages.

    Args:
        size: (height, width).
        value_range: what becomes black and white in an image of more than 8 bits; None takes the usual range of what
            this one holds.

    Raises:
        Exception: whatever Pillow raises for a damaged file; `reason` puts it in words.
    """
    from PIL import Image, ImageOps

    mode = "L" if grey else "RGB"
    with (
        open_regular(path, follow_links=True) as file,
        _opened(file) as image,
    ):  # by its name Pillow would map it, and misread some
        pages = 2 if getattr(image, "is_animated", False) and image.format not in STILL else 1
        is_wide = any(";16" in str(tile.args) for tile in image.tile)
        if image.format == "JPEG":
            image.draft(mode, (size[1], size[0]))  # decodes no more than is needed
        special = image.format == "TIFF" or "exif" in image.info or "transparency" in image.info
        extremes = None
        if image.mode == mode and image.size == (size[1], size[0]) and not special:
            picture: Image.Image = image
        else:
            upright = ImageOps.exif_transpose(image)
            if upright.mode == "F" or upright.mode.startswith("I"):
                values = np.asarray(upright)
                extremes = extremes_of(values)
                upright = Image.fromarray(as_bytes(values, value_range or usual_range(extremes)))
            picture = ImageOps.fit(_opaque(upright).convert(mode), (size[1], size[0]), Image.Resampling.BOX)
        pixels = np.asarray(picture)
    pixels = pixels[None] if grey else pixels.transpose(2, 0, 1)
    return Picture(pixels, extremes, is_wide and extremes is None, pages)


def _opened(file: IO[bytes]) -> "ImageFile":
    from PIL import Image, UnidentifiedImageError

    try:
        return Image.open(file)
    except UnidentifiedImageError:
        file.seek(0)
        what = recognise(file.read(HEAD_BYTES))
        if "HEIC" in what and has_heic():
            from pillow_heif import register_heif_opener

            register_heif_opener()
            return Image.open(file)
        if "HEIC" in what:
            what += ", which needs the package pillow-heif"
        elif "image" in what:
            what += " of a kind that is not read"
        raise ValueError(what or "not an image") from None


def has_heic() -> bool:
    """Return whether the package that reads HEIC images is installed."""
    return importlib.util.find_spec("pillow_heif") is not None


def _opaque(image: "Image") -> "Image":
    """The picture with white behind what is transparent."""
    from PIL import Image

    if image.mode not in TRANSPARENT_MODES and "transparency" not in image.info:
        return image
    layer = image.convert("RGBA")
    white = Image.new("RGBA", layer.size, "white")
    return Image.alpha_composite(white, layer).convert("RGB")


def facts_of(path: str | Path) -> tuple[int, int, bool]:
    """Return height and width of a picture as it is shown, and whether it is grey, from the header of its file.

    Raises:
        Exception: as `read_picture`.
    """
    with open_regular(path, follow_links=True) as file, _opened(file) as image:
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
    """Return why a picture cannot be read, in a few words."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error).partition("\n")[0] or type(error).__name__
